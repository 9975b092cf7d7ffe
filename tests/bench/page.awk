# SPDX-License-Identifier: GPL-2.0-or-later
#
# After results.awk and targets.awk: results in Markdown. part=tables is a machine's part of doc/bench.md, part=readme
# are its rows of the README's table. name is what the machine is called.

function ms(value) { return value < 10 ? sprintf("%.3f", value) : sprintf("%.1f", value) }

function value_text(value, its_unit) {
    if (its_unit == "ms") return ms(value) " ms"
    if (its_unit == "us") return sprintf("%.2f us", value)
    if (its_unit == "/s") return sprintf("%.0f/s", value)
    return sprintf("%.0f %s", value, its_unit)
}

function machine() {
    print "## " name
    print ""
    print "Slurm " about["slurm"] ", cgroup " about["cgroup"] ", " about["system"] ", " about["processor"] "; " about["date"] "."
    print ""
}

function targets(    i) {
    print "| added by | Slurm's (or what is named) | ours | ratio | target | | attempts |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= rows; i++)
        printf "| %s | %s | %s | %s | %s | %s | %s |\n", what[i], value_text(theirs[i], unit[i]), value_text(ours[i], unit[i]),
            ratio_text(ratio[i]), target[i], verdict[i] == "FAIL" ? "**FAIL**" : verdict[i], tries[i]
    print ""
}

function logins(    i, j, scenario, service, names, count) {
    count = split("permit floor theirs ours", names, " ")
    print "| login with | module | samples | ms: median (quartiles) | added ms | system calls | page faults | RSS kB | private dirty kB | mappings |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= scenarios; i++) {
        scenario = order[i]
        for (j = 1; j <= count; j++) {
            service = names[j]
            if (!has[scenario, service]) continue
            printf "| %s | %s | %d | %s (%s-%s) | %s | %s | %s | %s | %s | %s |\n", (j == 1 ? title(scenario) : ""), service,
                samples[scenario, service], ms(median[scenario, service]), ms(lower[scenario, service]),
                ms(upper[scenario, service]), ms(added(scenario, service)), more(calls, scenario, service),
                more(faults, scenario, service), more(rss, scenario, service), more(dirty, scenario, service),
                more(mappings, scenario, service)
        }
    }
    print ""
}

# What a service has more than pam_permit; pam_permit's own number where it is that.
function more(figure, scenario, service) {
    if (!((scenario, service) in figure)) return ""
    if (service == "permit") return sprintf("(%d)", figure[scenario, service])
    return sprintf("%+d", figure[scenario, service] - figure[scenario, "permit"])
}

function throughput(    i, j, part, key, names, count) {
    if (speeds == 0) return
    count = split("permit floor theirs ours", names, " ")
    print "| logins with | at once | module | rounds | per second: median (quartiles) | failed |"
    print "|---|---|---|---|---|---|"
    for (i = 1; i <= speeds; i++) {
        split(speed_order[i], part, SUBSEP)
        for (j = 1; j <= count; j++) {
            key = speed_order[i] SUBSEP names[j]
            if (!(key in speed)) continue
            printf "| %s | %s | %s | %d | %.0f (%.0f-%.0f) | %d |\n", (j == 1 ? title(part[1]) : ""), (j == 1 ? part[2] : ""),
                names[j], rounds[key], speed[key], speed_lower[key], speed_upper[key], failed[key]
        }
    }
    print ""
}

function options_table(    i) {
    if (options == 0) return
    print "| option | a login without it, ms | with it, ms | adds, ms |"
    print "|---|---|---|---|"
    for (i = 1; i <= options; i++)
        printf "| %s | %s | %s | %+.3f |\n", option_order[i], ms(without[option_order[i]]), ms(with[option_order[i]]),
            with[option_order[i]] - without[option_order[i]]
    print ""
}

# --- the README's table ---------------------------------------------------------------------------------------------

function readme_row(label, reference, value, its_unit) {
    printf "| %s | %s | %s | %s |\n", label, value_text(reference, its_unit), value_text(value, its_unit),
        ratio_text(reference > 0 ? value / reference : 0)
}

function readme_latency(scenario, label) {
    if (has[scenario, "ours"]) readme_row(label, added(scenario, "theirs"), added(scenario, "ours"), "ms")
}

function readme(    i, key) {
    printf "| **%s: Slurm %s, cgroup %s** | | | |\n", name, about["slurm"], about["cgroup"]
    readme_latency("1+0", "latency, one job" floor_text("1+0"))
    readme_latency("1+100", "latency, one job and 100 of other users")
    readme_latency("1+100x", "latency, one job and 100 of other users that have only extern steps")
    readme_latency("1+200", "latency, one job and 200 of other users")
    readme_latency("0+100", "latency, refused, 100 jobs of other users")
    for (i = 1; i <= scenarios; i++) {
        if (kind(order[i]) == "answered")
            readme_latency(order[i], "latency, two jobs, the source node answers (and " foreign(order[i]) " jobs of other users)")
        if (kind(order[i]) == "refused")
            readme_latency(order[i], "latency, two jobs, no slurmd at the source (and " foreign(order[i]) " jobs of other users)")
    }
    key = "1+50" SUBSEP 64
    if ((key, "ours") in speed) readme_row("logins per second, 64 at once, 50 jobs of other users", speed[key, "theirs"],
        speed[key, "ours"], "/s")
    key = "1+0" SUBSEP "permit"
    readme_row("memory added to the process (RSS)", rss["1+0", "theirs"] - rss[key], rss["1+0", "ours"] - rss[key], "kB")
}

function floor_text(scenario) {
    return sprintf(" (the floor: %s ms)", ms(added(scenario, "floor")))
}

END {
    if (part == "readme") {
        readme()
        exit 0
    }
    judge_all()
    machine()
    targets()
    logins()
    options_table()
    throughput()
}
