import contextlib, subprocess
def deploy(site, repo):
    done = None
    with contextlib.suppress(OSError):
        done = subprocess.run(["deploy", site])
    if not done or done.returncode:
        raise RuntimeError("not deployed")
    repo.mark_deployed(site)
    return "deployed"
