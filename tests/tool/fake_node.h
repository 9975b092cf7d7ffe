// SPDX-License-Identifier: GPL-2.0-or-later
// A node for slurm-adopt check that is set up right, all in a directory; only the module is real.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check/checks.h"
#include "enable/edit.h"
#include "run_tool.h"
#include "support/listening_socket.h"

namespace slurm_adopt::tool {

using test::contents;

class FakeNode {
public:
    FakeNode()
    {
        roots.pam.paths = {root / "pam.d"};
        roots.proc = root / "proc";
        roots.sys = root / "sys";
        roots.run = root / "run";
        roots.etc = root / "etc";
        roots.var = root / "var";
        roots.module_directories = {root / "security"};
        roots.helper = root / "libexec/slurm-adopt-helper";
        roots.sshd = {"/bin/cat", root.write("sshd-T", "port 22\nusepam yes\nauthenticationmethods any\n")};
        roots.sshd_config = root.write("sshd_config", "UsePAM yes\nMatch User backup\n  X11Forwarding no\n");
        set_up_slurm();
        use_layout("debian12");
        root.make_directory("security");
        std::filesystem::copy(MODULE_PATH, module());
        root.write("libexec/slurm-adopt-helper", "#!/bin/sh\n");
        (void)::chmod(roots.helper.c_str(), 0755);
        root.write("proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
        root.write("proc/4711/comm", "slurmd\n");
        for (const char* step : {"n1_7.4294967292", "n1_7.4294967291", "n1_7.0"}) list_step(step);
        root.make_directory("run/systemd/system");
        mask_user_manager();
        root.make_directory("run/munge");
        start_munge();
    }

    void use_layout(const std::string& layout)
    {
        std::filesystem::remove_all(root / "pam.d");
        std::filesystem::copy(std::string(PAM_LAYOUTS) + '/' + layout, root / "pam.d");
        enable();
    }
    // As "slurm-adopt enable" does.
    void enable(std::optional<std::vector<std::string>> options = std::nullopt)
    {
        const auto edit = enabled(roots.pam, sshd(), contents(sshd()), {"sshd", {}, std::move(options)});
        ASSERT_TRUE(edit.ok()) << edit.error().context;
        root.write("pam.d/sshd", edit.value().text);
    }
    void disable() { root.write("pam.d/sshd", disabled(sshd(), contents(sshd()), true).value()); }
    void replace(const std::string& old_text, const std::string& new_text, const std::string& file = "pam.d/sshd")
    {
        std::string text = contents(root / file);
        ASSERT_NE(text.find(old_text), std::string::npos) << old_text;
        for (std::size_t at = 0; (at = text.find(old_text, at)) != std::string::npos; at += new_text.size())
            text.replace(at, old_text.size(), new_text);
        root.write(file, text);
    }
    void list_step(const std::string& name)
    {
        const std::string path = root.write("spool/" + name, "");
        sockets_ += "0000000000000000: 00000002 00000000 00010000 0001 01 1234 " + path + '\n';
        root.write("proc/net/unix", sockets_);
    }
    void mask_user_manager()
    {
        root.make_directory("etc/systemd/system");
        std::filesystem::create_symlink("/dev/null", root / "etc/systemd/system/user@.service");
    }
    // What the helper would say of slurm.conf. The other nodes come with the tests that have some.
    void set_up_slurm()
    {
        config = {"22.05.8", true, false, false, "proctrack/cgroup", "task/affinity,task/cgroup", "", "", "", "/var/spool/slurmd",
                  SlurmdPlace{"n1", "198.51.100.1", 6818}, 1, {}};
        roots.ask_slurm_config = [this](const HelperSettings& settings, const std::string& name) {
            asked = settings;
            asked_node = name;
            return slurm_conf_is_there ? Result<SlurmConfig>(config)
                                       : Result<SlurmConfig>(Error{ErrorCode::refused, 0, "the helper could not read slurm.conf"});
        };
        listen_on("0100A8C0:1AA2");
        roots.ask_controller = [](const Options&) { return std::vector<helper_wire::ControllerJob>(2); };
    }
    // As in /proc/net/tcp.
    void listen_on(const std::string& address) const
    {
        root.write("proc/net/tcp", "  sl  local_address rem_address   st\n   0: 0100007F:0277 00000000:0000 0A 0\n   1: " + address +
                                       " 00000000:0000 0A 0\n   2: 0100A8C0:1AA3 0200A8C0:1AA2 01 0\n");
    }
    void start_munge() { munge_ = test::listen_at(root / "run/munge/munge.socket.2"); }
    void stop_munge()
    {
        munge_.reset();
        std::filesystem::remove(root / "run/munge/munge.socket.2");
    }

    [[nodiscard]] std::string sshd() const { return root / "pam.d/sshd"; }
    [[nodiscard]] std::string module() const { return root / "security/pam_slurm_adopt.so"; }
    [[nodiscard]] Found look(std::string_view name) const
    {
        for (const Check& check : all_checks())
            if (check.name == name) return check.look(look_at(roots, "sshd"));
        ADD_FAILURE() << "no check " << name;
        return std::nullopt;
    }

    const test::TempDirectory root;
    CheckRoots roots;
    SlurmConfig config;
    bool slurm_conf_is_there = true;
    HelperSettings asked{};
    std::string asked_node;

private:
    std::string sockets_ = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    Fd munge_;
};

}  // namespace slurm_adopt::tool
