# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# To be sourced. sources PROJECT: the files that a commit of the tree as it is now would have, each ended by a NUL.
# copy_sources PROJECT DIRECTORY: copies them.

sources() {
  local file
  # git lists what was deleted since, too.
  git -C "$1" ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    [[ ! -e $1/$file && ! -L $1/$file ]] || printf '%s\0' "$file"
  done | sort -z
}

copy_sources() {
  mkdir -p "$2"
  sources "$1" | tar -C "$1" --null --files-from=- -c | tar -x -C "$2"
}
