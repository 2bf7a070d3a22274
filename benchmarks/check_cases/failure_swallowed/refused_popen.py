import subprocess


def deploy(release):
    process = subprocess.Popen(["rsync", "-a", release.path, "web:/srv/app"])
    process.wait()
    release.status = "deployed"
    release.save()
