"""Packages the Helm chart, pushes it to an OCI registry, pulls it, and prints the names of its files.

Usage: publish_chart.py CHART REGISTRY VERSION FOLDER
"""

import pathlib
import sys
import tarfile

import helm_python as helm

chart, registry, version, folder = sys.argv[1:]
archive = helm.package(chart, destination=folder)
helm.push(archive, f"oci://{registry}/charts", plain_http=True)
pulled = pathlib.Path(folder, "pulled")
pulled.mkdir()
helm.pull(f"oci://{registry}/charts/pointsman", version=version, destination=pulled, plain_http=True)
(archive,) = pulled.iterdir()
with tarfile.open(archive) as files:
    print("\n".join(sorted(files.getnames())))
