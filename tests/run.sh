#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing, builds, and runs every suite: unit, module, shared object, helper (and that it compiles with
# the headers of later Slurm releases), asking slurmrestd, the credential plugin (contrib/cred_ed25519), end to end on a real
# Slurm, once more under the sanitizers, the fuzz targets for a short time, the bench, the packages, what is in contrib/, the SELinux
# policy, the documentation, and in virtual machines of later Debian releases. One summary at the end; exit code 0 only if all of it
# passed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() {
  cat <<'TEXT'
usage: sudo tests/run.sh [--without-packages] [--only SUITE]...

Suites: unit module mutation faults so helper rest tool headers cred fuzz e2e sanitize bench package rpm contrib selinux docs vm lint
(all, if none is named). package and rpm are the packages: built, installed, removed; --without-packages leaves these, and contrib, out.
contrib is Ansible's role and the scripts for AWS, with the packages of package; selinux the policy module: compiled, and asked what
it allows. Only where they are named: tidy (clang-tidy, minutes of it) and valgrind (slow, and meant for a machine with nothing else
to do).
Debian 12 or later; needs root, because real daemons and namespaces are started. The host is left as it was, but for
the packages that are installed and the directories build/, build-asan/, build-tsan/ and build-fuzz/.
TEXT
}

all_suites=(unit module mutation faults so helper rest tool headers cred fuzz e2e sanitize bench package rpm contrib selinux docs vm lint)
package_suites='package|rpm|contrib'
extra_suites=(tidy valgrind)
suites=()
while (($#)); do
  case $1 in
    --only)
      [[ " ${all_suites[*]} ${extra_suites[*]} " == *" ${2-} "* ]] ||
        { echo "run.sh: --only takes one of: ${all_suites[*]} ${extra_suites[*]}" >&2; exit 2; }
      suites+=("$2"); shift 2 ;;
    --without-packages) mapfile -t all_suites < <(printf '%s\n' "${all_suites[@]}" | grep -vxE "$package_suites"); shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "run.sh: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
done
((${#suites[@]})) || suites=("${all_suites[@]}")
[[ $EUID == 0 ]] || { echo "run.sh: needs root: sudo tests/run.sh" >&2; exit 2; }

logs=build/test-logs
mkdir -p "$logs"
declare -a summary=()
passed=0
failed=0

install_packages() {
  local packages=(cmake g++ ninja-build libgtest-dev libpam0g-dev libslurm-dev libcgroup-dev libspdlog-dev
    libcli11-dev nlohmann-json3-dev libjwt-dev libcurl4-openssl-dev libssl-dev openssl slurmrestd slurm-wlm-jwt-plugin
    libpam-modules login nftables perl-base pamtester libpam-google-authenticator oathtool binutils shellcheck mandoc cppcheck)
  tests/cluster/cluster.sh packages
  packages+=(libpam-slurm-adopt)
  if [[ " ${suites[*]} " == *" tidy "* ]]; then packages+=(clang-tidy); fi
  if [[ " ${suites[*]} " == *" mutation "* ]]; then packages+=(python3); fi
  if [[ " ${suites[*]} " == *" valgrind "* ]]; then packages+=(valgrind libc6-dbg); fi
  # contrib/cred_ed25519
  if [[ " ${suites[*]} " == *" cred "* || " ${suites[*]} " == *" tidy "* ]]; then packages+=(libssl-dev openssl dpkg-dev file); fi
  if [[ " ${suites[*]} " == *" package "* ]]; then packages+=(autopkgtest dpkg-dev debhelper lintian openssh-server openssh-client iproute2); fi
  if [[ " ${suites[*]} " == *" rpm "* ]]; then packages+=(rpm rpm2cpio rpmlint dnf cpio file bzip2 dpkg-dev); fi
  if [[ " ${suites[*]} " == *" rpm "* || " ${suites[*]} " == *" selinux "* ]]; then
    packages+=(make python3 selinux-policy-default selinux-policy-dev setools python3-setools policycoreutils semodule-utils)
  fi
  # libFuzzer and the coverage report are clang's.
  if [[ " ${suites[*]} " == *" fuzz "* ]]; then packages+=(clang libclang-rt-dev llvm); fi
  if [[ " ${suites[*]} " == *" contrib "* ]]; then packages+=(ansible-core python3-apt curl dpkg-dev debhelper iproute2 openssh-server); fi
  if [[ " ${suites[*]} " == *" vm "* ]]; then
    packages+=(user-mode-linux debootstrap e2fsprogs debian-archive-keyring)
  fi
  if [[ " ${suites[*]} " == *" docs "* ]]; then packages+=(python3 debootstrap debian-archive-keyring dpkg-dev debhelper); fi
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  echo "installing: ${missing[*]}"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"
}

# shellcheck source-path=SCRIPTDIR source=support/ahead.sh
. tests/support/ahead.sh

build() {  # PRESET DIRECTORY [BUILD OPTION]...
  # A directory that another generator has configured stays as it is; -G only where there is none yet.
  local generator=()
  [[ -e $2/CMakeCache.txt ]] || generator=(-G Ninja)
  cmake --preset "$1" "${generator[@]}" && cmake --build "${@:2}"
}

# stage NAME COMMAND...: runs it, keeps the log, shows it where it fails, and counts. set -e does not hold in COMMAND.
stage() {
  local name=$1 log=$logs/$1.log start=$SECONDS status=0
  shift
  printf '== %-10s ' "$name"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  local good bad
  # ctest: "97% tests passed, 2 tests failed out of 60"
  read -r good bad < <(sed -nE 's/.* ([0-9]+) tests failed out of ([0-9]+).*/\1 \2/p' "$log" |
    awk '{bad += $1; all += $2} END {print all - bad, bad + 0}')
  # A suite of one program, or one that ended before it could count.
  if ((good + bad == 0)); then good=$((status == 0)) bad=0; fi
  if ((status != 0 && bad == 0)); then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  local line
  line=$(printf '%-10s %4d passed %4d failed %5d s' "$name" "$good" "$bad" $((SECONDS - start)))
  summary+=("$line")
  if ((status == 0)); then
    echo "ok, $((SECONDS - start)) s"
  else
    echo "FAILED, $((SECONDS - start)) s; $log:"
    what_failed "$log" | sed 's/^/   | /'
  fi
  return 0
}

# The tests of a log that failed, with what they said: the end of a log may be that of others, which passed.
what_failed() {  # LOG
  awk -v lines=140 -f tests/support/failures.awk "$1" || { echo "(its end)"; tail -n 80 "$1"; }
}

# What later suites need (tests/support/ahead.sh). They make it themselves where it is not there.
make_cred() { build_cred && build_cred_for asan-ubsan && build_cred_for tsan; }
make_fuzz() { build fuzz build-fuzz --target slurm_adopt_fuzz; }
make_sanitize() { build_tsan && build_asan; }
make_package() { tests/package/build.sh; }
make_vm() { tests/vm/run.sh --prepare; }

start_ahead() {
  local name needed=()
  for name in cred fuzz sanitize package vm; do
    [[ " ${suites[*]} " != *" $name "* ]] || needed+=("$name")
  done
  # Of one suite alone nothing can be done meanwhile.
  ((${#suites[@]} > 1)) || return 0
  declare -fx build configure_cred build_cred build_cred_for build_tsan build_asan make_cred make_fuzz make_sanitize make_package make_vm
  trap ahead_stop EXIT
  ahead_start "$logs/ahead" "${needed[@]}"
}

run_ctest() {  # DIRECTORY LABEL
  ctest --test-dir "$1" -L "^$2\$" --output-on-failure --no-tests=error
}

build_tsan() { build tsan build-tsan --target slurm_adopt_threads_test helper_source_node_test; }
build_asan() { build asan-ubsan build-asan --target slurm_adopt_tests; }

# In a shell of its own: what is unset there is set for the others.
run_sanitizers() (
  # First what has threads. Only what runs here is built: the end-to-end tests and the bench take the module of build/.
  unset SLURM_ADOPT_FAULT_ROWS  # their times are not the module's
  label='' status=0
  run_thread_sanitizer || status=1
  build_asan || return 1
  # One run for each label: a label without tests is a failure.
  for label in unit module faults so helper rest tool fuzz; do
    ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 run_ctest build-asan "$label" || status=1
  done
  return $status
)

# contrib/cred_ed25519, which is off in the other builds.
configure_cred() {  # PRESET DIRECTORY [OPTION]...
  local generator=()
  [[ -e $2/CMakeCache.txt ]] || generator=(-G Ninja)
  cmake --preset "$1" -B "$2" "${generator[@]}" -DSLURM_ADOPT_CRED_ED25519=ON "${@:3}"
}

build_cred() { configure_cred release build/cred && cmake --build build/cred --target cred_ed25519_tests; }

build_cred_for() {  # SANITIZER
  configure_cred "$1" "build/cred-$1" -DSLURM_ADOPT_HELPER=OFF -DSLURM_ADOPT_REST=OFF -DSLURM_ADOPT_TOOL=OFF &&
    cmake --build "build/cred-$1" --target cred_ed25519_test
}

# The plugin's own tests and those on a real Slurm; then its own once more under each sanitizer.
run_cred() {
  local sanitizer status=0
  build_cred || return
  run_ctest build/cred cred || status=1
  for sanitizer in asan-ubsan tsan; do
    build_cred_for "$sanitizer" || return
    ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
      run_ctest "build/cred-$sanitizer" cred || status=1
  done
  return $status
}

run_fuzz() {
  local status=0
  run_ctest build fuzz || status=1
  # Not long enough to find much, and the same each time: a target that is broken shows, and what it finds is the change.
  tests/fuzz/run.sh --seconds 10 --seed 1 --jobs 2 || status=1
  return $status
}

# The helper's look-ups are the only threads of ours; the module may be called by a host's.
run_thread_sanitizer() {
  build_tsan || return
  # PatienceEnds is about 3 s, and takes longer so.
  TSAN_OPTIONS=halt_on_error=1 ctest --test-dir build-tsan -R '^(Threads|SourceNode)\.' -E '^SourceNode.PatienceEnds$' \
    --output-on-failure --no-tests=error
}

run_lint() {
  local scripts status=0
  mapfile -t scripts < <(git ls-files '*.sh' .ci/run contrib/completion contrib/aws/slurm-adopt-aws-jwt 'debian/scripts/*' rpm/slurm-adopt-place.in debian/tests ':!debian/tests/control')
  shellcheck "${scripts[@]}" || status=1
  mandoc -T lint -W warning pam/pam_slurm_adopt.8 build/doc/man/slurm-adopt.8 || status=1
  cppcheck --quiet --error-exitcode=1 --std=c++20 --enable=warning,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem -I include -I pam -I src -I src/tool src pam || status=1
  cppcheck --quiet --error-exitcode=1 --std=c++20 --enable=warning,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem -I include -I src contrib/cred_ed25519/*.cc || status=1
  return $status
}

run_tidy() {
  local status=0
  git ls-files 'src/*.cc' 'pam/*.cc' | nice xargs -P "$(nproc)" -n 1 clang-tidy --quiet --warnings-as-errors='*' -p build || status=1
  configure_cred release build/cred || return
  nice clang-tidy --quiet --warnings-as-errors='*' -p build/cred contrib/cred_ed25519/*.cc || status=1
  return $status
}

# The rows of doc/faults.md, which unit, module, fault, end-to-end and machine tests report.
check_fault_table() {
  tests/faults/table.sh check "$SLURM_ADOPT_FAULT_ROWS"
}

install_packages
stage build build release build
export SLURM_ADOPT_FAULT_ROWS=$PWD/$logs/faults.rows
rm -f "$SLURM_ADOPT_FAULT_ROWS"
start_ahead
for suite in "${suites[@]}"; do
  # Nothing may run beside what is measured.
  if [[ $suite == bench ]]; then ahead_wait_all; else ahead_wait "$suite"; fi
  case $suite in
    sanitize) stage sanitize run_sanitizers ;;
    headers) stage headers tests/helper/headers.sh ;;
    cred) stage cred run_cred ;;
    fuzz) stage fuzz run_fuzz ;;
    vm) stage vm tests/vm/run.sh --prepared ;;
    lint) stage lint run_lint ;;
    tidy) stage tidy run_tidy ;;
    valgrind) stage valgrind tests/valgrind/run.sh ;;
    package) stage package tests/package/run.sh ;;
    rpm) stage rpm tests/rpm/run.sh ;;
    contrib) stage contrib tests/contrib/run.sh ;;
    selinux) stage selinux tests/selinux/run.sh ;;
    docs) stage docs tests/docs/run.sh ;;
    mutation) stage mutation tests/mutation/run.sh ;;
    *) stage "$suite" run_ctest build "$suite" ;;
  esac
done

if [[ ${suites[*]} == "${all_suites[*]}" ]]; then stage fault-table check_fault_table; fi

echo
echo "Summary (logs in $logs)"
printf '  %s\n' "${summary[@]}"
echo
echo "$passed passed, $failed failed"
((failed == 0))
