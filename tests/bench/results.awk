# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads results.tsv (its lines: see measuring.sh), the last attempt of everything counts. For the programs after it:
#   about[KEY]; scenarios, order[1..]; has[SCENARIO, SERVICE]; and by (SCENARIO, SERVICE): samples, lower, median, upper
#   (ms), faults, rss, dirty (kB), mappings, calls; attempts[SCENARIO];
#   speeds, speed_order[1..] (SCENARIO SUBSEP WORKERS); and by (SCENARIO, WORKERS, SERVICE): rounds, speed_lower, speed,
#   speed_upper (logins per second), failed; speed_attempts[SCENARIO, WORKERS];
#   options, option_order[1..] (what it is); and by that: without, with (ms).
BEGIN { FS = "\t" }

$1 == "info" { about[$2] = $3 }

$1 == "login" {
    if (!($2 in attempts)) order[++scenarios] = $2
    attempts[$2] = $3
    has[$2, $4] = 1
    samples[$2, $4] = $5
    lower[$2, $4] = $6 / 1000
    median[$2, $4] = $7 / 1000
    upper[$2, $4] = $8 / 1000
    faults[$2, $4] = $9
    rss[$2, $4] = $10
    dirty[$2, $4] = $11
    mappings[$2, $4] = $12
}

$1 == "syscalls" { calls[$2, $3] = $6 }

$1 == "throughput" {
    if (!(($2, $4) in speed_attempts)) speed_order[++speeds] = $2 SUBSEP $4
    speed_attempts[$2, $4] = $3
    rounds[$2, $4, $5] = $6
    speed_lower[$2, $4, $5] = $7
    speed[$2, $4, $5] = $8
    speed_upper[$2, $4, $5] = $9
    failed[$2, $4, $5] = $10
}

$1 == "option" || $1 == "sticky" {
    option = $1 == "option" ? $3 ", " title($2) : "sticky=1, " title($2) ", " $3 " logins of the client before"
    if (!(option in with)) {
        option_order[++options] = option
        with[option] = 0
    }
    if ($4 == "ours") without[option] = $7 / 1000
    else if ($4 == "with" || $4 == "sticky") with[option] = $7 / 1000
}

function own(scenario) { return substr(scenario, 1, index(scenario, "+") - 1) + 0 }
function foreign(scenario) { return substr(scenario, index(scenario, "+") + 1) + 0 }
function kind(scenario) { return scenario ~ /x$/ ? "x" : scenario ~ /@/ ? substr(scenario, index(scenario, "@") + 1) : "" }

function title(scenario,    text) {
    text = own(scenario) == 0 ? "no job" : own(scenario) == 1 ? "1 job" : own(scenario) " jobs"
    if (foreign(scenario) > 0) text = text " + " foreign(scenario) " of others"
    if (kind(scenario) == "x") return text " (extern steps only)"
    if (kind(scenario) == "named") return text ", one of them named in a file"
    return kind(scenario) == "" ? text : text ", source " kind(scenario)
}

# What a service adds to pam_permit.
function added(scenario, service) { return median[scenario, service] - median[scenario, "permit"] }
