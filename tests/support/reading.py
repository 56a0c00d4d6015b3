"""Reads one YAML spec after the other, as JSON lines of its input; tells code and time of each."""

import json
import sys
import time

from dli.exceptions import DLIError
from dli.specs.parser import parse_dataset


def read(text: str) -> str:
    try:
        parse_dataset(text.encode("utf-8", "surrogatepass"), "spec.shop.sales.daily.yaml")
    except DLIError as refused:
        return refused.code.value
    return ""


def main() -> None:
    for line in sys.stdin:
        begun = time.perf_counter()
        code = read(json.loads(line))
        spent_ms = (time.perf_counter() - begun) * 1000
        sys.stdout.write(json.dumps([code, spent_ms]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
