# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads results.tsv, the last attempt of every scenario counts. part=figures prints what was measured, part=judge
# holds it against the targets and exits with 1 if one is missed.
# Columns: own foreign attempt service samples q1 median q3 (us) faults rss dirty (kB) mappings
BEGIN { FS = "[ \t]+" }

{
    scenario = $1 " " $2
    if (!(scenario in attempts)) order[++scenarios] = scenario
    attempts[scenario] = $3
    key = scenario " " $4
    samples[key] = $5
    lower[key] = $6 / 1000
    median[key] = $7 / 1000
    upper[key] = $8 / 1000
    faults[key] = $9
    rss[key] = $10
    dirty[key] = $11
    mappings[key] = $12
}

function title(scenario,    part, text) {
    split(scenario, part, " ")
    if (part[1] ~ /^2-/) return "2 jobs, source " substr(part[1], 3)
    text = part[1] == 0 ? "no job" : part[1] == 1 ? "1 job" : part[1] " jobs"
    return text (part[2] == 0 ? "" : " + " part[2] " of others")
}

function added(scenario, service) {
    return median[scenario " " service] - median[scenario " permit"]
}

function figures(    i, j, scenario, key, permit, names, count) {
    count = split("permit floor theirs ours", names, " ")
    printf "%-24s %-8s %7s %24s %9s %8s %9s %9s %6s\n", "login with", "module", "samples", "ms, median (quartiles)", "added ms",
        "faults+", "RSS+ kB", "dirty+ kB", "maps+"
    for (i = 1; i <= scenarios; i++) {
        scenario = order[i]
        permit = scenario " permit"
        for (j = 1; j <= count; j++) {
            key = scenario " " names[j]
            if (!(key in median)) continue
            printf "%-24s %-8s %7d %24s %9.3f %8d %9d %9d %6d\n", (j == 1 ? title(scenario) : ""), names[j], samples[key],
                sprintf("%.3f (%.3f-%.3f)", median[key], lower[key], upper[key]), median[key] - median[permit],
                faults[key] - faults[permit], rss[key] - rss[permit], dirty[key] - dirty[permit], mappings[key] - mappings[permit]
        }
    }
}

# One row; target 0: none.
function row(what, theirs, ours, unit, target, shown,    ratio, verdict) {
    ratio = theirs > 0 ? ours / theirs : 0
    verdict = ""
    if (target > 0) {
        verdict = theirs > 0 && ratio <= target ? "PASS" : "FAIL"
        if (verdict == "FAIL") missed = 1
    }
    printf "%-34s %12s %12s %10s %10s  %s\n", what, sprintf("%.3f %s", theirs, unit), sprintf("%.3f %s", ours, unit),
        (ours > 0 && theirs > 0 ? sprintf("1/%.1f", theirs / ours) : "-"), shown, verdict
}

function judge(    i, scenario, part, target, shown) {
    printf "%-34s %12s %12s %10s %10s\n", "added by", "theirs", "ours", "ratio", "target"
    for (i = 1; i <= scenarios; i++) {
        scenario = order[i]
        split(scenario, part, " ")
        if (only_own != "-" && (part[1] != only_own || part[2] != only_foreign)) continue
        target = 0
        shown = "-"
        if (scenario == "1 0" && idle == 0) { target = 1 / 2.5; shown = "1/2.5" }
        if (scenario == "1 100" && idle == 0) { target = 1 / 20; shown = "1/20" }
        if (part[1] == "2-answered") { target = 1; shown = "1" }
        if (part[1] == "2-refused") { target = 1 / 2; shown = "1/2" }
        row("latency, " title(scenario), added(scenario, "theirs"), added(scenario, "ours"), "ms", target, shown)
        if (scenario == "1 0")
            row("RSS, 1 job", rss[scenario " theirs"] - rss[scenario " permit"], rss[scenario " ours"] - rss[scenario " permit"],
                "kB", 1 / 3, "1/3")
    }
    if (only_own == "-") {
        verdict = size_ours < 400 * 1024 ? "PASS" : "FAIL"
        if (verdict == "FAIL") missed = 1
        printf "%-34s %12s %12s %10s %10s  %s\n", "size of the .so, stripped", sprintf("%.1f kB", size_theirs / 1024),
            sprintf("%.1f kB", size_ours / 1024), sprintf("1/%.1f", size_theirs / size_ours), "< 400 kB", verdict
    }
}

END {
    if (part == "figures") {
        figures()
        exit 0
    }
    judge()
    exit missed
}
