"""Thirty secrets that are planted where secrets are, and looked for where others read.

Those of the environment are given to every process that the tests start. Those that are sent are
planted by the tests that send them. Tokens of the servers are looked for by their form.
"""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ENVIRONMENT", "SECRETS", "TOKEN", "found_below", "found_in"]

_NAMES = (
    *("pager", "chat", "mail", "form"),  # addresses of notifications
    *("warehouse", "cloud", "vault", "bot", "shop", "model", "disk", "key_file"),  # of the machine
    *("channel", "template", "airflow", "other"),  # in the environment of one server
    *("query", "header", "token", "key", "bearer", "host"),  # sent by strangers
    *("field", "cron", "zone", "json", "name"),  # sent by callers and refused
    *("value", "ignored", "literal"),  # in parameters and in SQL
)
SECRETS = {name: f"Canary{number:02}{name}" for number, name in enumerate(_NAMES)}
"""By what they are; nothing else in the tests looks like one."""

ENVIRONMENT = {
    "DLI_NOTIFY_CANARYPAGER": f"json://ana:{SECRETS['pager']}@127.0.0.1:9/{{channel}}",
    "DLI_NOTIFY_CANARYCHAT": f"slack://{SECRETS['chat']}/BBBBBBBBB/{{channel}}",
    "DLI_NOTIFY_CANARYMAIL": f"mailtos://ana:{SECRETS['mail']}@example.invalid?to={{channel}}",
    "DLI_NOTIFY_CANARYFORM": f"form://127.0.0.1:9/?+X-Key={SECRETS['form']}",
    "DWH_PASSWORD": SECRETS["warehouse"],
    "AZURE_CLIENT_SECRET": SECRETS["cloud"],
    "VAULT_TOKEN": SECRETS["vault"],
    "SLACK_BOT_TOKEN": SECRETS["bot"],
    "STRIPE_API_KEY": SECRETS["shop"],
    "MODEL_API_KEY": SECRETS["model"],
    "LUKS_PASSPHRASE": SECRETS["disk"],
    "CANARY_PRIVATE_KEY": f"-----BEGIN PRIVATE KEY-----\n{SECRETS['key_file']}\n",
}

TOKEN = re.compile(r"bcp_[a-z]+_[A-Za-z0-9_-]{32,}")
_ANY = re.compile("|".join(SECRETS.values()))
_SENT = re.compile("|".join(s for n, s in SECRETS.items() if n in _NAMES[16:]))
_LOGS = (".log", ".jsonl", ".out", ".err")

_LARGE_BYTES = 4 * 1024 * 1024


def found_in(text: str, *, is_log: bool = False) -> set[str]:
    """The secrets in what somebody reads; in a log nobody's token has a place either."""
    found = set(_ANY.findall(text))
    return found | {"a token"} if is_log and TOKEN.search(text) else found


def found_below(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    """Files of the tests that hold secrets; a store may keep what was sent, in specs and runs."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        is_log = path.suffix in _LOGS
        if not is_log and path.stat().st_size > _LARGE_BYTES:
            continue
        found = found_in(path.read_text(encoding="utf-8", errors="replace"), is_log=is_log)
        if not is_log:
            found = {secret for secret in found if not _SENT.fullmatch(secret)}
        if found:
            yield path, found
