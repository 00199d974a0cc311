"""Validates lines of the decision log against their JSON Schema."""

import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1]) as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
assert not validator.is_valid({"schema": 1}), "the schema can refuse"
count = 0
for line in sys.stdin:
    for error in validator.iter_errors(json.loads(line)):
        sys.exit(f"{error.json_path}: {error.message}")
    count += 1
print(f"{count} records are valid")
