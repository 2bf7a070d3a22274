import contextlib, subprocess
def deploy(site, repo):
    with contextlib.suppress(subprocess.CalledProcessError):
        subprocess.run(["deploy", site], check=True)
    repo.mark_deployed(site)
    return "deployed"
