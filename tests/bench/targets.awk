# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds what results.awk has read against the targets. judge_all() fills rows (their number) and, by row: what, theirs,
# ours, unit, ratio, target, verdict (PASS, FAIL, or empty where there is no target), tries; and sets missed.
# Times are those of a login less those of pam_permit.

# LIMIT 0: no target. MORE: more is better, so ours / theirs must be at least LIMIT; else at most.
function row(name, reference, value, its_unit, limit, more, tried,    met) {
    rows++
    what[rows] = name
    theirs[rows] = reference
    ours[rows] = value
    unit[rows] = its_unit
    tries[rows] = tried
    ratio[rows] = reference > 0 && value > 0 ? value / reference : 0
    target[rows] = limit == 0 ? "" : more ? ">= " limit : limit < 1 ? "<= 1/" sprintf("%.3g", 1 / limit) : "<= " limit
    verdict[rows] = ""
    if (limit == 0 || about["idle"] + 0 > 0) return
    met = reference > 0 && (more ? value / reference >= limit : value / reference <= limit)
    verdict[rows] = met ? "PASS" : "FAIL"
    if (!met) missed = 1
}

function latency_limit(scenario) {
    if (kind(scenario) == "answered") return 1
    if (kind(scenario) == "refused") return 1 / 2
    if (scenario == "1+0") return 1 / 3
    if (scenario == "1+100") return 1 / 25
    if (scenario == "1+100x") return 1 / 2
    return 0
}

function judge_logins(scenario) {
    row("latency, " title(scenario), added(scenario, "theirs"), added(scenario, "ours"), "ms", latency_limit(scenario), 0,
        attempts[scenario])
    if (scenario != "1+0") return
    row("latency, 1 job, against the floor", added(scenario, "floor"), added(scenario, "ours"), "ms", about["floor_limit"] ? about["floor_limit"] : 1.5, 0,
        attempts[scenario])
    row("RSS, 1 job", rss[scenario, "theirs"] - rss[scenario, "permit"], rss[scenario, "ours"] - rss[scenario, "permit"],
        "kB", 1 / 4, 0, attempts[scenario])
}

function judge_throughput(scenario, workers,    key) {
    key = scenario SUBSEP workers
    row("logins/s, " workers " at once, " title(scenario), speed[key, "theirs"], speed[key, "ours"], "/s",
        workers == 64 && scenario == "1+50" ? 5 : 0, 1, speed_attempts[key])
    if (failed[key, "ours"] + failed[key, "floor"] + failed[key, "permit"] > 0) {
        verdict[rows] = "FAIL"
        missed = 1
    }
}

# What each job of others adds: the slope of the line through the medians.
function slope(service,    i, x, y, n, sx, sy, sxx, sxy) {
    for (i = 1; i <= scenarios; i++) {
        if (own(order[i]) != 1 || kind(order[i]) != "") continue
        x = foreign(order[i])
        y = added(order[i], service)
        n++; sx += x; sy += y; sxx += x * x; sxy += x * y
    }
    return n * sxx - sx * sx > 0 ? (n * sxy - sx * sy) / (n * sxx - sx * sx) : 0
}

function judge_growth(    grows) {
    grows = slope("theirs")
    if (grows == 0) return
    row("growth for each job of others", grows * 1000, slope("ours") * 1000, "us",
        about["cgroup"] == "v1" && has["1+100", "theirs"] ? 1 / 40 : 0, 0, attempts["1+100"])
}

function judge_size() {
    row("size of the .so, stripped", about["size_theirs"] / 1024, about["size_ours"] / 1024, "kB", 0)
    target[rows] = "< 400 kB"
    verdict[rows] = about["size_ours"] < 400 * 1024 ? "PASS" : "FAIL"
    if (verdict[rows] == "FAIL") missed = 1
}

function judge_all(    i, part) {
    for (i = 1; i <= scenarios; i++) judge_logins(order[i])
    judge_growth()
    for (i = 1; i <= speeds; i++) {
        split(speed_order[i], part, SUBSEP)
        judge_throughput(part[1], part[2])
    }
    judge_size()
}

function ratio_text(ratio) {
    return ratio == 0 ? "-" : ratio < 1 ? sprintf("1/%.1f", 1 / ratio) : sprintf("%.1f", ratio)
}
