# SPDX-License-Identifier: GPL-2.0-or-later
#
# Draws what contrib/demo.sh has printed, as a terminal shows it:
#
#   sudo contrib/demo.sh | awk -f contrib/demo-picture.awk >doc/demo.svg
#
# Names of a run (the node, the tree) are made those of everybody's; long lines go on in the next one.
BEGIN { columns = 116; line_height = 17; column_width = 7.23; left = 16; top = 46 }

{ sub(/[ \r]+$/, "") }

# How the demo begins depends on the machine.
/^1\. / { shown = 1; node = $0; sub(/^.* node /, "", node); sub(/,.*/, "", node) }
!shown { next }

{
    gsub(node, "n1")
    gsub(/[^ ]*\/build-demo\//, "build-demo/")
    class = /^  \$ / ? "command" : /^  ✓ / ? "good" : /^  ✗ / ? "bad" : /^[^ ]/ ? "title" : "plain"
    if (/^    \| /) {
        class = "output"
        sub(/^    \| /, "")
        while (length($0) > columns - 6) {
            for (at = columns - 6; at > 40 && substr($0, at, 1) != " "; at--);
            add(class, substr($0, 1, at - 1))
            $0 = "  " substr($0, at + 1)
        }
    }
    add(class, $0)
}

function add(class, words) {
    gsub(/&/, "\\&amp;", words)
    gsub(/</, "\\&lt;", words)
    classes[++lines] = class
    texts[lines] = words
}

END {
    while (lines && texts[lines] == "") lines--
    width = 2 * left + columns * column_width
    height = top + lines * line_height + 8
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n", width, height, width, height
    print "<title>What contrib/demo.sh prints</title>"
    print "<style>"
    print "  text { font: 12px ui-monospace, \"DejaVu Sans Mono\", Menlo, Consolas, monospace; fill: #d6dde4; white-space: pre }"
    print "  .screen { fill: #11161c; stroke: #3d444d } .bar { fill: #232a32 }"
    print "  .name, .edge { fill: #8b949e } .title { fill: #6cb6ff; font-weight: bold } .command { fill: #ffffff; font-weight: bold }"
    print "  .good { fill: #57c26b } .bad { fill: #ff7b72 }"
    print "</style>"
    printf "<rect class=\"screen\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", width - 1, height - 1
    printf "<path class=\"bar\" d=\"M1 28 V9 a8 8 0 0 1 8 -8 H%d a8 8 0 0 1 8 8 V28 z\"/>\n", width - 9
    printf "<text x=\"%d\" y=\"19\" class=\"name\">sudo contrib/demo.sh</text>\n", left
    for (i = 1; i <= lines; i++) {
        y = top + i * line_height - 8
        if (classes[i] == "output") printf "<text x=\"%d\" y=\"%d\" class=\"edge\">|</text>\n", left + 4 * column_width, y
        x = left + (classes[i] == "output" ? 6 * column_width : 0)
        if (texts[i] != "") printf "<text x=\"%.1f\" y=\"%d\" class=\"%s\" xml:space=\"preserve\">%s</text>\n", x, y, classes[i], texts[i]
    }
    print "</svg>"
}
