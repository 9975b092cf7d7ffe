// SPDX-License-Identifier: GPL-2.0-or-later
// job_choice=file and choose=: the user's own word about which of several jobs.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <list>
#include <thread>

#include "fake_users.h"
#include "node_test.h"
#include "slurm_adopt/text.h"
#include "support/forked.h"
#include "support/job_file_cases.h"
#include "support/private_run.h"
#include "support/silent_fuse.h"

namespace slurm_adopt::test {
namespace {

using namespace std::chrono_literals;

std::string told(int jobs, int job, const std::string& more = "")
{
    return "info You have " + std::to_string(jobs) + " jobs on HOST; this login was placed into job " + std::to_string(job) + '.' + more;
}

constexpr const char* hangs_already = "an earlier login still hangs in reading it: does the home directory's file system answer?";
constexpr const char* other_job = " For another one: slurm-adopt use <JOBID>";

std::string logged(const std::string& why)
{
    return "warning ~alice/.config/slurm-adopt/job is not followed: " + why;
}

std::string noted(const std::string& why)
{
    return "info ~/.config/slurm-adopt/job is not followed: " + why + ". For another job: slurm-adopt use <JOBID>; for none: slurm-adopt use --clear";
}

Expected into(const std::string& reason, int jobs, int job)
{
    return {"success",
            {decided("info adopt " + reason, jobs, job, "yes", "closed")},
            {told(jobs, job, reason == "newest_job" ? other_job : "")},
            {"SLURM_JOB_ID=" + std::to_string(job)}};
}

// The newest, because something is wrong with the file.
Expected without_choice(int jobs, int job, const std::string& why)
{
    Expected expected = into("newest_job", jobs, job);
    expected.log.insert(expected.log.begin(), logged(why));
    expected.told.insert(expected.told.begin(), noted(why));
    return expected;
}

std::size_t processes_of(uid_t uid)
{
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        if (!parse_number<unsigned>(entry.path().filename().native())) continue;
        std::ifstream file(entry.path() / "status");
        for (std::string line; std::getline(file, line);)
            if (line.starts_with("Uid:\t" + std::to_string(uid) + '\t')) ++count;
    }
    return count;
}

class JobChoice : public NodeTest {
protected:
    JobChoice()
    {
        EXPECT_EQ(::chown(home_.path().c_str(), alice, alice), 0);
        set_home(home_.path());
        // From old to new: 3, 5, 4.
        for (const unsigned job_id : {3U, 5U, 4U}) {
            (void)start(job_id);
            std::this_thread::sleep_for(20ms);
        }
    }
    ~JobChoice() override { set_home(""); }
    void SetUp() override { ASSERT_TRUE(run_.works()) << "these tests need root"; }

    void name(const std::string& text) const { choice_.write(text); }
    [[nodiscard]] static Outcome log_in_with(std::vector<std::string> options)
    {
        options.insert(options.end(), {"strict", "job_choice=file"});
        return log_in({.options = options});
    }

    const PrivateRun run_;
    const TempDirectory home_;
    const JobFileOf choice_{home_.path(), alice};
};

TEST_F(JobChoice, TakesTheNamedJob)
{
    expect("no file", log_in_with({}), into("newest_job", 3, 4));
    for (const int job : {3, 4, 5}) {
        name(std::to_string(job) + '\n');
        const Outcome outcome = log_in_with({});
        expect("job " + std::to_string(job), outcome, into("file_job", 3, job));
        for (const FakeStepd& stepd : stepds_)
            EXPECT_EQ(is_in(outcome, stepd.cgroup()), outcome.environment == std::vector<std::string>{"SLURM_JOB_ID=" + std::to_string(job)} &&
                                                          stepd.cgroup().find("job_" + std::to_string(job)) != std::string::npos);
    }
    name("3");
    expect("action_unknown=deny", log_in_with({"action_unknown=deny"}), into("file_job", 3, 3));
}

TEST_F(JobChoice, OffReadsNothing)
{
    name("3\n");
    const Outcome outcome = log_in({.options = {"strict"}});
    EXPECT_EQ(outcome.environment, std::vector<std::string>{"SLURM_JOB_ID=4"});
    EXPECT_EQ(outcome.told, std::vector<std::string>{told(3, 4, " For another one: srun --overlap --pty --jobid=<JOBID> bash")});
}

TEST_F(JobChoice, OnlyAnOwnJobHereCounts)
{
    (void)start(9, {.uid = bob});
    for (const char* job : {"9", "77"}) {
        name(job);
        const std::string why = "job " + std::string(job) + " does not run on HOST";
        Expected expected = without_choice(3, 4, why);
        Outcome outcome = log_in_with({});
        ASSERT_EQ(outcome.log.size(), 2U);
        // The test replaces the host's name in what is told only.
        EXPECT_TRUE(outcome.log[0].starts_with("info ~alice/.config/slurm-adopt/job is not followed: job " + std::string(job) + " does not run on "))
            << outcome.log[0];
        outcome.log[0] = expected.log[0];
        expect(job, outcome, expected);
        // As before, where the newest is not wanted.
        const Outcome denied = log_in_with({"action_unknown=deny"});
        EXPECT_EQ(denied.code, "perm_denied");
        EXPECT_EQ(denied.told, (std::vector<std::string>{noted(why), "error Access denied: you have 3 jobs on HOST and it is not known which one this "
                                                                     "login belongs to. Use: slurm-adopt use <JOBID>"}));
        EXPECT_EQ(denied.log.back(), decided("notice deny unknown_job", 3, 0, "-", "closed"));
    }
}

// Who passes goes into no job: of which one it is not there is nothing to say.
TEST_F(JobChoice, WhoIsPassedOverIsNotToldOfTheFile)
{
    name("77");
    for (const char* unknown : {"action_unknown=deny", "action_unknown=allow"}) {
        const Outcome outcome = log_in_with({"exempt_users=alice", "exempt_adopt=1", unknown});
        EXPECT_EQ(outcome.code, "ignore") << unknown;
        EXPECT_EQ(outcome.told, std::vector<std::string>()) << unknown;
    }
    const Outcome allowed = log_in_with({"action_unknown=allow"});
    EXPECT_EQ(allowed.code, "success");
    for (const std::string& line : allowed.told) EXPECT_EQ(line.find("not followed"), std::string::npos) << line;
}

TEST_F(JobChoice, AFileThatIsNoneIsSaidAndTheNormalChoiceGoesOn)
{
    for (const JobFileCase& each : job_file_cases("3", bob)) {
        each.prepare(choice_);
        expect(each.why, log_in_with({}), without_choice(3, 4, each.why));
        choice_.clear();
    }
    set_home("");
    expect("no home", log_in_with({}), without_choice(3, 4, "the user database names no home directory"));
    set_home("relative");
    expect("no path", log_in_with({}), without_choice(3, 4, "the user database names no home directory"));
}

TEST_F(JobChoice, QuietTellsNothingAndLogsAll)
{
    name("3\n4\n");
    Expected expected = without_choice(3, 4, "it has more than one line");
    expected.told.clear();
    expect("quiet", log_in_with({"quiet"}), expected);
    expected.log.clear();
    expect("log_level=error", log_in_with({"quiet", "log_level=error"}), expected);
}

TEST_F(JobChoice, TheNamedJobThatCannotAdoptLeavesTheRestToActionUnknown)
{
    (void)start(8, {.adopt_result = -1, .moves = false});
    name("8");
    Expected expected = into("newest_job", 4, 4);
    expected.log.insert(expected.log.begin(), "warning job 8: slurmstepd answered -1");
    const Outcome outcome = log_in_with({});
    EXPECT_EQ(outcome.code, "success");
    EXPECT_TRUE(outcome.log.front().starts_with("warning job 8: ")) << outcome.log.front();
    EXPECT_NE(outcome.environment, std::vector<std::string>{"SLURM_JOB_ID=8"});
    EXPECT_EQ(log_in_with({"action_unknown=deny"}).code, "perm_denied");
}

// In the order of the list; the source is asked where it is listed, which log_level=verbose shows.
TEST_F(JobChoice, TheOrderOfTheList)
{
    const std::string asked = "info source unknown: the login came by no TCP connection of this process";
    name("3");
    const auto with = [](const Expected& expected, const std::string& line) {
        Expected more = expected;
        if (!line.empty()) more.log.insert(more.log.begin(), line);
        return more;
    };
    expect("as unset", log_in_with({"log_level=verbose"}), with(into("file_job", 3, 3), asked));
    expect("callerid,file", log_in_with({"log_level=verbose", "choose=callerid,file"}), with(into("file_job", 3, 3), asked));
    expect("file,callerid", log_in_with({"log_level=verbose", "choose=file,callerid"}), into("file_job", 3, 3));
    expect("file", log_in_with({"log_level=verbose", "choose=file"}), into("file_job", 3, 3));
    choice_.clear();
    expect("file,callerid, no file", log_in_with({"log_level=verbose", "choose=file,callerid"}), with(into("newest_job", 3, 4), asked));
    expect("file, no file", log_in_with({"log_level=verbose", "choose=file"}), into("newest_job", 3, 4));
    expect("newest whatever", log_in_with({"choose=file,newest", "action_unknown=deny"}), into("newest_job", 3, 4));
    EXPECT_EQ(log_in_with({"choose=file", "action_unknown=deny"}).code, "perm_denied");
    EXPECT_EQ(log_in({.options = {"strict", "choose=newest", "action_unknown=allow"}}).environment, std::vector<std::string>{"SLURM_JOB_ID=4"});
}

TEST_F(JobChoice, OfOneJobIsNone)
{
    end_all();
    (void)start(7);
    name("nonsense");  // would be said if it was read
    const Expected only{"success", {decided("info adopt one_job", 1, 7, "yes", "closed")}, {}, {"SLURM_JOB_ID=7"}};
    expect("one job", log_in_with({}), only);
    const std::vector<std::string> asked = {"single_job_skip_rpc=0", "action_unknown=deny"};
    const Outcome unknown = log_in_with(asked);
    EXPECT_EQ(unknown.code, "perm_denied");
    EXPECT_EQ(unknown.log, std::vector<std::string>{decided("notice deny unknown_job", 1, 0, "-", "closed")});
    expect("newest", log_in_with({"single_job_skip_rpc=0", "action_unknown=deny", "choose=callerid,file,newest"}), only);
    expect("nobody to ask", log_in_with({"single_job_skip_rpc=0", "action_unknown=deny", "choose=file"}), only);
}

TEST_F(JobChoice, TheSessionStaysInTheJobThatWasNamedAtItsBeginning)
{
    name("3");
    const std::vector<std::string> options = {"strict", "job_choice=file"};
    const Outcome outcome = log_in({.options = options, .phases = Phases::both, .between = [this] { name("5"); }});
    EXPECT_EQ(outcome.code, "success");
    EXPECT_EQ(outcome.log, (std::vector<std::string>{decided("info adopt file_job", 3, 3, "yes", "closed"),
                                                     decided("info adopt account_job", 3, 3, "yes", "closed", {.phase = "session"})}));
    EXPECT_EQ(outcome.told, std::vector<std::string>{told(3, 3)});
    // Back from sshd's keyboard-interactive child.
    const Outcome session = log_in({.options = options, .phases = Phases::session, .environment = {"SLURM_JOB_ID=3"}});
    EXPECT_EQ(session.log, std::vector<std::string>{decided("info adopt account_job", 3, 3, "yes", "closed", {.phase = "session"})});
}

// Readings that do not hang go on side by side (reading_lock.h).
TEST_F(JobChoice, LoginsAtOnceAllFollowTheFile)
{
    name("3\n");
    std::list<Forked> logins;
    for (int i = 0; i < 20; ++i)
        logins.emplace_back([] {
            const Outcome outcome = log_in_with({});
            const bool is_right = outcome.environment == std::vector<std::string>{"SLURM_JOB_ID=3"} && outcome.log.size() == 1;
            for (const std::string& line : outcome.log)
                if (!is_right) std::fprintf(stderr, "%s\n", line.c_str());
            return is_right;
        });
    for (Forked& login : logins) EXPECT_TRUE(login.succeeds());
}

TEST_F(JobChoice, HoldsNothingButALockOfRootsMeanwhile)
{
    EXPECT_EQ(log_in({.options = {"strict"}}).code, "success");
    EXPECT_FALSE(std::filesystem::exists("/run/slurm-adopt")) << "off";
    name("3\n");
    expect("a good file", log_in_with({}), into("file_job", 3, 3));
    struct stat status {};
    ASSERT_EQ(::lstat("/run/slurm-adopt/reading-home", &status), 0);
    EXPECT_TRUE(S_ISREG(status.st_mode));
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_uid, 0U);
    EXPECT_EQ(status.st_size, 0);
    // Where there can be none it goes on without.
    ASSERT_EQ(::chmod("/run/slurm-adopt", 0777), 0);
    expect("a directory that others may write to", log_in_with({}), into("file_job", 3, 3));
    ASSERT_EQ(::chmod("/run/slurm-adopt", 0755), 0);
    ASSERT_EQ(::mount("none", "/run", nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    expect("a /run that is read-only", log_in_with({}), into("file_job", 3, 3));
}

class HungHome : public JobChoice {
protected:
    void SetUp() override
    {
        JobChoice::SetUp();  // its mounts are this process's own
        choice_.make_directory();
    }
    // True unless the file system cannot be had.
    static bool works(const SilentFuse& fuse)
    {
        EXPECT_TRUE(fuse.works()) << "no /dev/fuse: a home that does not answer cannot be had here";
        return fuse.works();
    }
};

TEST_F(HungHome, CostsASecondAndNothingElse)
{
    for (const auto& [kind, place] : {std::pair(SilentFuse::Kind::deaf, home_ / ".config"), {SilentFuse::Kind::silent, home_.path()}}) {
        const bool cannot_die = kind == SilentFuse::Kind::silent;
        SilentFuse fuse(place, kind);
        if (!works(fuse)) return;
        const Outcome outcome = log_in_with({});
        expect(place, outcome, without_choice(3, 4, "it could not be read in time"));
        EXPECT_GT(outcome.milliseconds, 990) << place;
        EXPECT_LT(outcome.milliseconds, 1500) << place;
        // One that dies of it may take its time where all cores are busy.
        for (int i = 0; i < 200 && !cannot_die && processes_of(alice) > 0; ++i) std::this_thread::sleep_for(10ms);
        EXPECT_EQ(processes_of(alice), cannot_die ? 1U : 0U) << place << ": as long as the home does not answer";
        fuse.end();
        for (int i = 0; i < 200 && processes_of(alice) != 0; ++i) std::this_thread::sleep_for(10ms);
        EXPECT_EQ(processes_of(alice), 0U) << place << ": left behind";
    }
}

// However many logins: a process that cannot be killed is outside of the job, and there for as long as the home hangs.
TEST_F(HungHome, LeavesOneProcessBehindForAllLogins)
{
    name("3");
    SilentFuse fuse(home_.path(), SilentFuse::Kind::silent);
    if (!works(fuse)) return;
    for (int i = 0; i < 5; ++i) {
        const Outcome outcome = log_in_with({"timeout=1"});
        expect("login " + std::to_string(i), outcome, without_choice(3, 4, i == 0 ? "it could not be read in time" : hangs_already));
        EXPECT_LT(outcome.milliseconds, 1000) << "login " << i;
        EXPECT_EQ(processes_of(alice), 1U) << "login " << i;
    }
    fuse.end();
    for (int i = 0; i < 200 && processes_of(alice) != 0; ++i) std::this_thread::sleep_for(10ms);
    expect("the home is back", log_in_with({"timeout=1"}), into("file_job", 3, 3));
}

TEST_F(HungHome, LeavesTimeForTheAdoption)
{
    const SilentFuse fuse(home_.path(), SilentFuse::Kind::silent);
    if (!works(fuse)) return;
    const Outcome outcome = log_in_with({"timeout=1"});
    expect("timeout=1", outcome, without_choice(3, 4, "it could not be read in time"));
    EXPECT_LT(outcome.milliseconds, 1000);
}

TEST_F(HungHome, IsNotTouchedWithoutAChoice)
{
    const SilentFuse fuse(home_.path(), SilentFuse::Kind::silent);
    if (!works(fuse)) return;
    EXPECT_LT(log_in({.options = {"strict"}}).milliseconds, 500) << "off";
    end_all();
    (void)start(7);
    const Outcome one = log_in_with({});
    EXPECT_EQ(one.environment, std::vector<std::string>{"SLURM_JOB_ID=7"});
    EXPECT_LT(one.milliseconds, 500) << "one job";
}

}  // namespace
}  // namespace slurm_adopt::test
