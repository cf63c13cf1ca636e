"""The table of docs/reliability.md, made from the lines that campaigns printed (docs/campaigns.jsonl).

Each line is what one campaign printed at its end, kept as it was; older ones name no commit. `figures` without files writes the
table between its marks in the page; with `--only check` it only compares; with files it takes their
last lines over into docs/campaigns.jsonl first, each in the place of the older one of its kind.
"""
import json
import os
import sys

from campaigns.stage import ROOT, say

LINES = os.path.join(ROOT, "docs", "campaigns.jsonl")
PAGE = os.path.join(ROOT, "docs", "reliability.md")
BEGIN, END = "<!-- figures: begin (made by tests/campaign figures) -->\n", "<!-- figures: end -->"
BAD = ("lost", "second_results", "surplus_certificates", "shared_keys")
# what else is worth a word, by the name of the field
WORDS = {"orders": "revocation orders", "refused": "orders that were not ours", "reports_again": "reported again", "crl_entries": "on the CA's list",
         "status_checks": "checks of lists and answers by openssl and GnuTLS", "labels_hit": "labels hit", "random_kills": "random kills", "redelivered": "handed out again",
         "faults_injected": "faults", "kinds": "kinds of them", "excused": "failures the CA left no other end for",
         "failed": "failed", "revoked": "certificates found and revoked", "takeovers": "takeovers", "kills": "kills",
         "freezes": "freezes", "stops": "stops", "halted": "halted", "reconciled": "asked about everything",
         "crashes": "crashes", "lost_memory": "starts without a memory", "said_in": "rounds in which times were named"}
OWN_WORDS = {"revocations": {"revoked": "orders carried out", "redelivered": "requests handed out again"}}
GROUPS = {"ends": "", "full_disk": "a full disk: ", "after_the_cut": "after the cut: ",
          "lying_disk": "a disk that swallows syncs: "}


def kind_of(line):
    """One row of the table: the campaign, the kinds of its rounds if they were chosen, the seed."""
    rounds = line["rounds"]
    return line["campaign"], tuple(sorted(rounds)) if isinstance(rounds, dict) else (), line["seed"]


def command_of(line):
    rounds = line["rounds"]
    if line["campaign"] == "revocations":
        return f"`tests/campaign revocations --orders {line['orders']} --kills {rounds} --seed {line['seed']}`", rounds
    only = " --only " + ",".join(rounds) if line["campaign"] == "instances" and len(rounds) < 4 else ""
    only += f" --requests {line['in_a_round']}" if line.get("in_a_round") else ""
    count = sum(rounds.values()) if isinstance(rounds, dict) else rounds
    return f"`tests/campaign {line['campaign']} --rounds {count} --seed {line['seed']}{only}`", count


def rest_of(line):
    own = OWN_WORDS.get(line["campaign"], {})
    words = [f"{line[name]:,} {own.get(name, text)}" for name, text in WORDS.items() if line.get(name)]
    for name, head in GROUPS.items():
        if name == "lying_disk" and "lost" in line.get(name, {}):
            continue  # an earlier checker took requests for lost that were only not drained yet
        if line.get(name):
            words.append(head + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in line[name].items()))
    return "; ".join(words)


def table(lines):
    out = ["| command | rounds | requests | lost | second results | surplus certificates | shared keys | seconds | commit | besides |",
           "|---|---|---|---|---|---|---|---|---|---|"]
    for line in lines:
        command, rounds = command_of(line)
        bad = " | ".join(str(line[name]) for name in BAD)
        requests = f"{line['requests']:,}" if "requests" in line else "-"
        out.append(f"| {command} | {rounds} | {requests} | {bad} | {line['seconds']:,.0f} | {line.get('commit') or '-'} | {rest_of(line)} |")
    return "\n".join(out) + "\n"


def read_lines(path):
    with open(path) as file:
        return [json.loads(one) for one in file if one.startswith('{"campaign"')]


def figures(options):
    lines = read_lines(LINES) if os.path.exists(LINES) else []
    for path in options.files:
        for fresh in read_lines(path)[-1:]:
            lines = [one for one in lines if kind_of(one) != kind_of(fresh)] + [fresh]
    lines.sort(key=kind_of)
    with open(PAGE) as file:
        page = file.read()
    head, rest = page.split(BEGIN)
    made = head + BEGIN + table(lines) + END + rest.split(END)[1]
    if options.only == "check":
        if made != page:
            say("docs/reliability.md has other figures than docs/campaigns.jsonl: tests/campaign figures")
            return False
        print(json.dumps({"campaign": "figures", "lines": len(lines), "true": True}))
        return bool(lines)
    with open(LINES, "w") as file:
        file.writelines(json.dumps(one) + "\n" for one in lines)
    with open(PAGE, "w") as file:
        file.write(made)
    print(table(lines), end="", file=sys.stdout)
    return True
