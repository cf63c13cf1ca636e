"""Files of five makers, imported end to end; judged by the sandbox's journals and devices."""
import collections
import csv
import json
import os

from campaigns.readers import deliveries
from campaigns.stage import ROOT, Stage, clean, say, totals

MANIFEST = os.path.join(ROOT, "sandbox", "data", "pfx", "manifest.tsv")
IMPORTS_PER_FILE = 2   # one more is drawn for its profile; slow files once
SLOW_MAKERS = ("NSS", "GnuTLS")  # 600,000 and more iterations
DRAIN_SECONDS = 300


def good_files():
    """file, maker and key of each row that must be accepted."""
    with open(MANIFEST, encoding="utf-8") as file:
        rows = list(csv.reader((line for line in file if not line.startswith("#")), delimiter="\t"))
    return {(row[0], row[3]): row[2].split()[0] for row in rows if int(row[5]) > 0}


def journal(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def ends_of(box):
    """By the journal: what was ordered by kind and context, what was recorded, what the judge said."""
    ordered, recorded, judged = {}, {}, {}
    for line in journal(os.path.join(box, "journal.jsonl")):
        if line["what"] == "ordered":
            ordered[line["context"]] = line["kind"]
        elif line["what"] == "recorded":
            recorded[line["context"]] = line["succeeded"]
        elif line["what"] == "judged":
            judged[line["context"]] = line["as_expected"]
    return ordered, recorded, judged


def writers(options, folder):
    files = good_files()
    extra = ",".join(f"import:{name}={1 if maker in SLOW_MAKERS else IMPORTS_PER_FILE}"
                     for name, maker in {name: maker for (name, _), maker in files.items()}.items())
    stage = Stage(options.program, folder, ["--requests", "1", "--mix", "import=1", "--extra", extra, "--seed",
                                            str(options.seed), "--lease", "60", "--keep-deliveries"])
    drained = stage.drain(DRAIN_SECONDS)
    result = totals(stage.verdict())
    ordered, recorded, judged = ends_of(stage.box)
    table = collections.defaultdict(lambda: {"ordered": 0, "imported": 0})
    never = {name for name, _ in files}
    makers = {name: maker for (name, _), maker in files.items()}
    keys = {name: "EC" if key.startswith("ec") else "RSA" for (name, key) in reversed(list(files))}
    for context, kind in ordered.items():
        name = kind.partition(":")[2]
        if not name:
            continue  # the one that was drawn
        cell = table[makers[name], keys[name]]
        cell["ordered"] += 1
        if recorded.get(context) and judged.get(context):
            cell["imported"] += 1
            never.discard(name)
    say(f"{'maker':12}{'key':6}{'imported':>12}")
    for (maker, key), cell in sorted(table.items()):
        say(f"{maker:12}{key:6}{cell['imported']:>6} of {cell['ordered']:<3}")
    profiles = collections.Counter(one.profile for one in deliveries(stage.box))
    rows = [{"maker": maker, "key": key, **cell} for (maker, key), cell in sorted(table.items())]
    print(json.dumps({"campaign": "writers", "drained": drained, "files": len({name for name, _ in files}),
                      "never_imported": sorted(never), "profiles": dict(profiles), "table": rows, **result}),
          flush=True)
    short = [row for row in rows if row["imported"] != row["ordered"]]
    return drained and clean(result) and not never and not short and result["delivered"] == result["requests"]
