# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of a page, one a line (one that goes on after "\" is joined), of each ```sh block whose comment is
# <!-- run by: TEST, STEP --> or, with an empty step, <!-- run by: TEST -->.
#
# usage: awk -v test=TEST -v step=STEP -f blocks.awk PAGE
{ sub(/\r$/, "") }
/^ *<!-- run by: .* -->$/ {
    who = $0
    sub(/^ *<!-- run by: /, "", who)
    sub(/ -->$/, "", who)
    next
}
/^ *```sh$/ { inside = 1; indent = match($0, /`/) - 1; wanted = who == test (step == "" ? "" : ", " step); next }
inside && /^ *```$/ { inside = 0; who = ""; next }
inside {
    line = substr($0, indent + 1)
    text = text line
    if (sub(/\\$/, "", text)) next
    if (wanted && text != "") print text
    text = ""
    next
}
/[^ ]/ { who = "" }
