# SPDX-License-Identifier: GPL-2.0-or-later
#
# After results.awk and targets.awk: part=figures prints what was measured, part=options what options add, part=judge holds it against the targets and
# exits with 1 if one is missed. With only=SCENARIO and only_command=measure_logins|measure_throughput: only that.

function figures(    i, j, scenario, name, names, count) {
    count = split("permit floor theirs ours", names, " ")
    printf "%-34s %-8s %7s %24s %9s %8s %8s %9s %9s %6s %8s\n", "login with", "module", "samples", "ms, median (quartiles)",
        "added ms", "calls+", "faults+", "RSS+ kB", "dirty+ kB", "maps+", "attempts"
    for (i = 1; i <= scenarios; i++) {
        scenario = order[i]
        for (j = 1; j <= count; j++) {
            name = names[j]
            if (!has[scenario, name]) continue
            printf "%-34s %-8s %7d %24s %9.3f %8s %8d %9d %9d %6d %8s\n", (j == 1 ? title(scenario) : ""), name,
                samples[scenario, name],
                sprintf("%.3f (%.3f-%.3f)", median[scenario, name], lower[scenario, name], upper[scenario, name]),
                added(scenario, name),
                (scenario, name) in calls ? calls[scenario, name] - calls[scenario, "permit"] : "-",
                faults[scenario, name] - faults[scenario, "permit"], rss[scenario, name] - rss[scenario, "permit"],
                dirty[scenario, name] - dirty[scenario, "permit"], mappings[scenario, name] - mappings[scenario, "permit"],
                (j == 1 ? attempts[scenario] : "")
        }
    }
    print ""
}

function throughput(    i, j, part, key, name, names, count) {
    if (speeds == 0) return
    count = split("permit floor theirs ours", names, " ")
    printf "%-34s %7s %-8s %7s %30s %7s %8s\n", "logins with", "workers", "module", "rounds", "per second, median (quartiles)",
        "failed", "attempts"
    for (i = 1; i <= speeds; i++) {
        split(speed_order[i], part, SUBSEP)
        for (j = 1; j <= count; j++) {
            name = names[j]
            key = speed_order[i] SUBSEP name
            if (!(key in speed)) continue
            printf "%-34s %7s %-8s %7d %30s %7d %8s\n", (j == 1 ? title(part[1]) : ""), (j == 1 ? part[2] : ""), name,
                rounds[key], sprintf("%.0f (%.0f-%.0f)", speed[key], speed_lower[key], speed_upper[key]), failed[key],
                (j == 1 ? speed_attempts[speed_order[i]] : "")
        }
    }
    print ""
}

function options_added(    i, option) {
    for (i = 1; i <= options; i++) {
        option = option_order[i]
        printf "%-62s without %.3f ms, with %.3f ms, adds %+.3f ms\n", option, without[option], with[option], with[option] - without[option]
    }
    print ""
}

function judge(    i, part) {
    if (only == "") judge_all()
    else if (only_command == "measure_logins") judge_logins(only)
    else {
        split(speed_order[speeds], part, SUBSEP) # the one that was measured just now
        judge_throughput(part[1], part[2])
    }
    printf "%-50s %14s %14s %8s %10s %-5s %8s\n", "added by", "theirs/floor", "ours", "ratio", "target", "", "attempts"
    for (i = 1; i <= rows; i++)
        printf "%-50s %14s %14s %8s %10s %-5s %8s\n", what[i], sprintf("%.3f %s", theirs[i], unit[i]),
            sprintf("%.3f %s", ours[i], unit[i]), ratio_text(ratio[i]), target[i], verdict[i], tries[i]
}

END {
    if (part == "figures") {
        figures()
        throughput()
        exit 0
    }
    if (part == "options") {
        options_added()
        exit 0
    }
    judge()
    exit missed
}
