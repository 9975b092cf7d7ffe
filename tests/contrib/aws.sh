#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scripts of contrib/aws on the private root that this runs in (run.sh). There is no cloud here: aws is a stand-in that
# answers as the AWS CLI does in its text output, and curl gets files.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=node.sh
. "${BASH_SOURCE[0]%/*}/node.sh"

main_deb=$(echo "$debs"/slurm-adopt_*.deb)
helper_deb=$(echo "$debs"/slurm-adopt-helper_*.deb)
version=$(dpkg-deb --field "$main_deb" Version)
readonly main_deb helper_deb version log=/var/log/slurm-adopt-install.log

# s3: $work/s3/BUCKET/KEY. Secrets: $work/secrets/ID, of which the value is SecretString, or in ID.binary SecretBinary.
mkdir -p "$work/s3/bucket" "$work/secrets"
cat >/usr/local/bin/aws <<SCRIPT
#!/usr/bin/env bash
set -euo pipefail
echo "\$*" >>$work/called
case "\$1 \$2" in
  's3 cp')
    [[ \$3 == --only-show-errors ]]
    cp "$work/s3/\${4#s3://}" "\$5" ;;
  'secretsmanager get-secret-value')
    id='' query=''
    shift 2
    while ((\$#)); do
      case \$1 in
        --secret-id) id=\$2 ;;
        --query) query=\$2 ;;
        --output) [[ \$2 == text ]] ;;
        --region | --version-id) ;;
        *) exit 252 ;;
      esac
      shift 2
    done
    case \$query in
      SecretString) file=$work/secrets/\$id ;;
      SecretBinary) file=$work/secrets/\$id.binary ;;
    esac
    [[ -e $work/secrets/\$id || -e $work/secrets/\$id.binary ]] ||
      { echo "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation" >&2; exit 254; }
    if [[ -e \$file ]]; then cat "\$file"; echo; else echo None; fi ;;
  *) exit 252 ;;
esac
SCRIPT
chmod 755 /usr/local/bin/aws

# --- ParallelCluster ---------------------------------------------------------

sum() { local text; text=$(sha256sum <"$1"); echo "${text%% *}"; }
action() { "$project/contrib/aws/parallelcluster.sh" "$@" >"$work/said" 2>&1 </dev/null || { local status=$?; cat "$work/said"; return $status; }; }
from_files() { action --package "file://$main_deb" "$(sum "$main_deb")" --package "file://$helper_deb" "$(sum "$helper_deb")" "$@"; }
# fails TEXT COMMAND...: and the last line of the log says so.
fails() {
  local text=$1
  shift
  if ! refuses "$@" >"$work/shown" || ! tail -n 1 "$log" | grep -F "failed: " | grep -qF -- "$text"; then
    cat "$work/said"
    return 1
  fi
}
is_wrong_usage() { local status=0; action "$@" >"$work/shown" || status=$?; [[ $status == 2 ]] && says usage:; }
node_type() { mkdir -p /etc/parallelcluster && echo "cfn_node_type=$1" >/etc/parallelcluster/cfnconfig; }

ok 'no package: usage' is_wrong_usage
ok 'a package without its checksum: usage' is_wrong_usage --package "file://$main_deb"
ok 'an unknown option: usage' is_wrong_usage --package "file://$main_deb" 00 --force
node_type HeadNode
ok 'not on the head node' fails 'no compute node' from_files
node_type LoginNode
ok 'not on a login node' fails 'no compute node' from_files
node_type ComputeFleet
ok 'a checksum that is none' fails 'is no sha256' action --package "file://$main_deb" 1234
ok 'another checksum' fails 'has not the sha256' action --package "file://$main_deb" "$(sum "$helper_deb")"
ok 'the second package with another checksum' fails 'has not the sha256' \
  action --package "file://$main_deb" "$(sum "$main_deb")" --package "file://$helper_deb" "$(sum "$main_deb")"
ok 'no such file' fails 'cannot be fetched' action --package "file:///nowhere/x.deb" "$(sum "$main_deb")"
ok 'no such object' fails 'cannot be fetched' action --package s3://bucket/x.deb "$(sum "$main_deb")"
ok 'plain http' fails 'none of s3://' action --package http://127.0.0.1/x.deb "$(sum "$main_deb")"
ok 'nobody listens' fails 'cannot be fetched' timeout 120 "$project/contrib/aws/parallelcluster.sh" --package https://127.0.0.1:1/x.deb "$(sum "$main_deb")"
cp "$main_deb" "$work/package.txt"
ok 'no package at all' fails 'neither .deb nor .rpm' action --package "file://$work/package.txt" "$(sum "$main_deb")"
echo broken >"$work/broken.deb"
ok 'a broken package' fails 'cannot be installed' action --package "file://$work/broken.deb" "$(sum "$work/broken.deb")"
ok 'by all of these nothing is installed' none_is_installed
ok 'and the stack is as it was' stack_is_plain

ok 'from files' from_files --options 'strict exempt_groups=admins'
ok 'the packages are there' are_installed
ok 'the lines have the options' with_options 'strict exempt_groups=admins'
ok 'who has no job is told so' alice_is_told
ok 'root gets in' root_gets_in
sha256sum /etc/pam.d/* >"$work/sums"
ok 'once more' from_files --options 'strict exempt_groups=admins'
ok 'nothing is installed' says 'installed already'
ok 'and nothing is written' sha256sum --quiet --check "$work/sums"
make_version "$version+later" "$work/s3/bucket"
later=()
for deb in "$work"/s3/bucket/*.deb; do later+=(--package "s3://bucket/${deb##*/}" "$(sum "$deb")"); done
ok 'a later version, from S3' action "${later[@]}"
ok 'is installed' version_is "$version+later"
ok 'with other options' with_options strict
ok 'a wrong option' fails 'lines cannot be written' action "${later[@]}" --options stric
ok 'leaves the lines' with_options strict
sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
ok 'a FAIL of check' fails 'check has a FAIL' action "${later[@]}"
ok 'is named' says sshd.use-pam
ok 'without the check it is none' action "${later[@]}" --no-check
sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config
ok 'on a node that is not of ParallelCluster' rm -r /etc/parallelcluster
ok 'too' action "${later[@]}"

# As doc/aws.md prints it.
mapfile -t arguments < <(sed -n '/^ *Args:$/,/^ *Iam:$/s/^ \{12\}- //p' "$project/doc/aws.md" | sed "s|BUCKET|bucket|" |
  awk -v main="$(sum "$main_deb")" -v helper="$(sum "$helper_deb")" '/^SHA256$/ {$0 = seen++ ? helper : main} {print}')
cp "$main_deb" "$helper_deb" "$work/s3/bucket/"
ok 'with the arguments of doc/aws.md' action "${arguments[@]}"
ok 'the lines have the options' with_options 'strict exempt_groups=admins'
ok 'the packages are those' version_is "$version"

# --- the key -----------------------------------------------------------------

readonly key=/etc/slurm-adopt/rest/jwt_hs256.key token=/etc/slurm-adopt/rest/token
head -c 32 /dev/urandom >"$work/key"
base64 --wrap=0 "$work/key" >"$work/secrets/good"
base64 --wrap=20 "$work/key" >"$work/secrets/wrapped"
cat "$work/secrets/good" >"$work/secrets/bytes.binary"
printf 'An old key of 35 letters and digits' >"$work/secrets/letters"
head -c 31 /dev/urandom | base64 --wrap=0 >"$work/secrets/short"
head -c 8193 /dev/urandom | base64 --wrap=0 >"$work/secrets/long"
: >"$work/secrets/empty"

jwt() { "$project/contrib/aws/slurm-adopt-aws-jwt" "$@" >"$work/said" 2>&1 </dev/null || { local status=$?; cat "$work/said"; return $status; }; }
jwt_fails() { local text=$1; shift; refuses jwt "$@" >"$work/shown" && says "$text"; }
jwt_is_wrong_usage() { local status=0; jwt "$@" >"$work/shown" || status=$?; [[ $status == 2 ]]; }
is_private() { [[ $(stat --format '%U %a' "$1" "${1%/*}") == "root $2"$'\n''root 700' ]] || { stat --format '%n %U %a' "$1" "${1%/*}"; return 1; }; }
key_is() { cmp "$1" "$key"; }
nothing_is_left() { [[ $(ls -A "${key%/*}") == "$1" ]] || { ls -lA "${key%/*}"; return 1; }; }

ok 'no secret: usage' jwt_is_wrong_usage --key "$key"
ok 'no file: usage' jwt_is_wrong_usage --secret good
ok 'key and token: usage' jwt_is_wrong_usage --secret good --key "$key" --token "$token"
ok 'the key' jwt --secret good --region eu-west-1 --version-id v1 --key "$key"
ok 'is what the secret says' key_is "$work/key"
ok "and root's alone" is_private "$key" 400
ok 'the directory above can be read' test "$(stat --format %a /etc/slurm-adopt)" = 755
ok 'the same key leaves the file' bash -c "before=\$(stat --format %i $key) && '$project/contrib/aws/slurm-adopt-aws-jwt' --secret good --key $key && [[ \$(stat --format %i $key) == \$before ]]"
chmod 444 "$key"
ok 'the same key that others can read' jwt --secret good --key "$key"
ok "is root's alone again" is_private "$key" 400
for name in wrapped bytes; do
  rm "$key"
  ok "$name" jwt --secret "$name" --key "$key"
  ok "$name: what the secret says" key_is "$work/key"
done
ok 'no such secret' jwt_fails 'cannot be fetched' --secret none --key "$key"
ok 'an empty one' jwt_fails 'has 0 bytes' --secret empty --key "$key"
ok 'not base64' jwt_fails 'is not base64' --secret letters --key "$key"
ok 'too short' jwt_fails 'has 31 bytes' --secret short --key "$key"
ok 'too long' jwt_fails 'has 8193 bytes' --secret long --key "$key"
ok 'the old key is still there' key_is "$work/key"
ok 'and nothing else' nothing_is_left "${key##*/}"
ok 'raw: another key' jwt --secret letters --raw --key "$key"
ok 'takes its place' key_is "$work/secrets/letters"
ok "and is root's alone" is_private "$key" 400
chmod 755 "${key%/*}"
ok 'a directory that others can read' jwt_fails "root's alone" --secret good --key "$key"
chmod 700 "${key%/*}"
mkdir -m 777 /srv/open
ok 'a directory below one that others can write to' jwt_fails 'others than root can write' --secret good --key /srv/open/rest/key
ln -s "${key%/*}" /etc/slurm-adopt/link
ok 'a directory that is a symbolic link' jwt_fails 'symbolic link' --secret good --key /etc/slurm-adopt/link/key
ln -s "$work/elsewhere" "${key%/*}/link"
ok 'a file that is a symbolic link' jwt_fails 'no regular file' --secret good --key "${key%/*}/link"
rm "${key%/*}/link"
mv /usr/local/bin/aws /usr/local/bin/aws.away
ok 'no aws' jwt_fails 'cannot be fetched' --secret good --key "$key"
mv /usr/local/bin/aws.away /usr/local/bin/aws
ok 'the key was in no argument' refuses grep -qF -e "$(<"$work/secrets/good")" -e "$(<"$work/secrets/letters")" "$work/called"
rm "$key"
ok 'a token' jwt --secret good --token "$token" --user alice --lifespan 1800
ok "is root's alone" is_private "$token" 600
ok 'the key is not kept' nothing_is_left token
chmod 400 "$work/key"
ok 'it is signed with the key' slurm-adopt token verify --key "$work/key" "$token"
ok 'for that user' bash -c "slurm-adopt token show $token | grep -q alice"
old=$(<"$token")
sleep 1.1
ok 'another one' jwt --secret good --token "$token" --user alice
ok 'takes its place' test "$old" != "$(<"$token")"
ok 'no token for nobody that there is' jwt_fails 'no token for nosuch' --secret good --token "$token" --user nosuch
ok 'the old one is still good' slurm-adopt token verify --key "$work/key" "$token"
ok 'and nothing else is left' nothing_is_left token

# As doc/aws.md prints it, but for systemd, which does not run here.
awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$project/doc/aws.md" >"$work/commands"
printf '#!/bin/sh\necho "$@" >>%s/systemctl\n' "$work" >/usr/local/bin/systemctl
chmod 755 /usr/local/bin/systemctl
mkdir -p /etc/systemd/system
cp "$work/secrets/good" "$work/secrets/ARN"
rm "$token"
as_printed() { (cd "$project" && bash -euo pipefail "$work/commands"); }
ok 'the commands of doc/aws.md' as_printed
ok 'start the timer' grep -qx 'enable --now slurm-adopt-aws-jwt.timer' "$work/systemctl"
ok 'write the lines' with_options "strict controller=rest rest_url=http://ADDRESS:6820 rest_token_file=$token"
read -ra arguments < <(sed 's/^ARGUMENTS=//' /etc/slurm-adopt/aws-jwt)
ok 'what the service calls' /usr/local/sbin/slurm-adopt-aws-jwt "${arguments[@]}"
ok 'leaves a token' slurm-adopt token verify --key "$work/key" "$token"
ok 'systemd reads the units' systemd-analyze verify /etc/systemd/system/slurm-adopt-aws-jwt.{service,timer}
reads_silently() { [[ ! -s $work/previous ]] || { cat "$work/previous"; return 1; }; }
ok 'without a word' reads_silently

finish
