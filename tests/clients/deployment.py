"""Renders the Helm chart by Helm's own engine, and validates what it renders.

Usage: deployment.py CHART < LIST

The list on standard input is a JSON array of values: an object each, or the name of a file with values. For each, a
JSON object is printed: `objects`, `config` and `notes`, or `refusal`, the error that `helm install` would print. All
objects of Kubernetes are valid for each of its versions that the chart allows.
"""

import json
import pathlib
import re
import sys

import helm_python as helm
import kubernetes_validate
import yaml

# Definitions of the Prometheus operator, which Kubernetes does not have.
CUSTOM = {"monitoring.coreos.com/v1"}


def versions(least):
    """Returns the versions of Kubernetes from `least` on whose schemas are installed."""
    schemas = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    found = {re.match(r"v(\d+)\.(\d+)\.0-", path.name).groups() for path in schemas.iterdir()}
    return [f"{major}.{minor}" for major, minor in sorted((int(a), int(b)) for a, b in found) if (major, minor) >= least]


def objects(rendered, known):
    for name, text in sorted(rendered.items()):
        if not name.endswith(".yaml"):
            continue
        for document in yaml.safe_load_all(text):
            if document is None:
                continue
            if document["apiVersion"] not in CUSTOM:
                for version in known:
                    kubernetes_validate.validate(document, version, strict=True)
            yield document


def main():
    path = sys.argv[1]
    chart = helm.Chart.load(path)
    findings = helm.lint(path, strict=True)
    assert not findings["errors"], findings
    least = re.fullmatch(r">=(\d+)\.(\d+)\.0-0", chart.metadata["kubeVersion"]).groups()
    known = versions(tuple(map(int, least)))
    assert len(known) > 5, known
    results = []
    for values in json.load(sys.stdin):
        if isinstance(values, str):
            values = helm.values_from_yaml(pathlib.Path(values).read_text(encoding="utf-8"))
        try:
            rendered = chart.render(values, name="test", namespace="llm", is_install=True)
        except helm.HelmError as error:
            results.append({"refusal": str(error)})
            continue
        found = list(objects(rendered, known))
        configs = [it["data"]["pointsman.toml"] for it in found if it["kind"] == "ConfigMap"]
        assert len(set(configs)) == 1, "the configuration that is checked is the one that is served"
        notes = next(text for name, text in rendered.items() if name.endswith("NOTES.txt"))
        results.append({"objects": found, "config": configs[0], "notes": notes})
    json.dump(results, sys.stdout)


main()
