# SPDX-License-Identifier: GPL-2.0-or-later
#
# After results.awk: an SVG of the latency that each module adds to the login of a user with one job, by the number of
# jobs of others on the node. It brings its own background, so that it can be read on a light page and on a dark one.
BEGIN {
    width = 760; height = 430
    left = 70; right = 640; top = 62; bottom = 360
    lowest = 0.1; highest = 100 # ms
}

function y_of(value) {
    value = value < lowest ? lowest : value > highest ? highest : value
    return bottom - (bottom - top) * log(value / lowest) / log(highest / lowest)
}

function x_of(i) { return points < 2 ? left : left + 30 + (right - left - 60) * (i - 1) / (points - 1) }

function text(x, y, class, words) { printf "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, words }

function head() {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n",
        width, height, width, height
    print "<title>Time that a login takes longer, by the number of jobs of other users on the node</title>"
    print "<style>"
    print "  text { font: 13px sans-serif; fill: #1f2328 }"
    print "  .page { fill: #ffffff; stroke: #d1d9e0 }"
    print "  .title { font-size: 16px; font-weight: bold }"
    print "  .middle, .value { text-anchor: middle } .end { text-anchor: end }"
    print "  .value { font-size: 11px }"
    print "  .grid { stroke: #d1d9e0; stroke-width: 1 }"
    print "  .line { fill: none; stroke-width: 2.5 }"
    print "  .theirs { stroke: #c93c37 } .ours { stroke: #0969da } .floor { stroke: #6e7781; stroke-dasharray: 5 4 }"
    print "  .theirs-dot { fill: #c93c37 } .ours-dot { fill: #0969da } .floor-dot { fill: #6e7781 }"
    print "  @media (prefers-color-scheme: dark) {"
    print "    text { fill: #e6edf3 } .page { fill: #0d1117; stroke: #3d444d } .grid { stroke: #30363d }"
    print "    .theirs { stroke: #ff7b72 } .ours { stroke: #58a6ff } .floor { stroke: #9198a1 }"
    print "    .theirs-dot { fill: #ff7b72 } .ours-dot { fill: #58a6ff } .floor-dot { fill: #9198a1 }"
    print "  }"
    print "</style>"
    printf "<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", width - 1, height - 1
}

function axes(    value, i, y) {
    text(width / 2, 28, "title middle", "What a login takes longer than with pam_permit, one job of the user's own")
    for (value = lowest; value <= highest * 1.001; value *= 10) {
        y = y_of(value)
        printf "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", left, y, right, y
        text(left - 8, y + 4, "end", value)
    }
    printf "<text transform=\"translate(20 %d) rotate(-90)\" class=\"middle\">milliseconds (log scale)</text>\n", (top + bottom) / 2
    for (i = 1; i <= points; i++) text(x_of(i), bottom + 22, "middle", others[i])
    text((left + right) / 2, bottom + 44, "middle", "jobs of other users on the node")
    text(width - 12, height - 10, "end value", "Slurm " about["slurm"] ", cgroup " about["cgroup"] ", " about["date"] ", medians")
}

# SIDE: where the values stand, so many pixels below their points.
function curve(service, label, side,    i, path, y) {
    for (i = 1; i <= points; i++) path = path sprintf("%s%.1f %.1f", i == 1 ? "M" : " L", x_of(i), y_of(value_at(i, service)))
    printf "<path class=\"line %s\" d=\"%s\"/>\n", service, path
    for (i = 1; i <= points; i++) {
        y = y_of(value_at(i, service))
        printf "<circle class=\"%s-dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", service, x_of(i), y
        text(x_of(i), y + side, "value", sprintf(value_at(i, service) < 10 ? "%.2f" : "%.1f", value_at(i, service)))
    }
    text(x_of(points) + 14, y_of(value_at(points, service)) + 4, "label", label)
}

function value_at(i, service) { return added(scenario_at[i], service) }

END {
    for (i = 1; i <= scenarios; i++) {
        if (own(order[i]) != 1 || kind(order[i]) != "") continue
        scenario_at[++points] = order[i]
        others[points] = foreign(order[i])
    }
    head()
    axes()
    curve("theirs", "Slurm's", -10)
    curve("ours", "slurm-adopt", -10)
    curve("floor", "the floor", 18)
    print "</svg>"
}
