// SPDX-License-Identifier: GPL-2.0-or-later
// What the checks look at: one node, seen from roots that the tests can put elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pam_stack/stack.h"
#include "slurm_adopt/helper_client.h"
#include "slurm_adopt/options.h"
#include "slurm_adopt/result.h"

namespace slurm_adopt::tool {

struct CheckRoots {
    pam_stack::Directories pam;
    std::string proc = "/proc";
    std::string sys = "/sys";
    std::string run = "/run";
    std::string etc = "/etc";
    std::string var = "/var";
    std::vector<std::string> module_directories;  // where libpam looks for modules, in its order
    std::string helper;                           // where the module looks for its helper
    std::vector<std::string> sshd = {"/usr/sbin/sshd", "-T"};
    std::string sshd_config = "/etc/ssh/sshd_config";
    // What slurm.conf says for that node (empty: this host), from the helper.
    std::function<Result<SlurmConfig>(const HelperSettings& settings, const std::string& node)> ask_slurm_config;
    // Whose jobs the controller has on this node, asked as these options say.
    std::function<Result<std::vector<helper_wire::ControllerJob>>(const Options& options)> ask_controller;

    // Those of this machine.
    [[nodiscard]] static CheckRoots of_this_machine();
};

// A line of the stack that loads the module.
struct OurLine {
    std::size_t index = 0;  // in Stack::modules
    pam_stack::Line line;
    ParsedOptions options;
};

struct OurStack {
    Result<pam_stack::Stack> stack;
    std::vector<OurLine> lines;
};

struct Node {
    CheckRoots roots;
    std::string service;
    OurStack account;
    OurStack session;
    std::shared_ptr<std::optional<Result<SlurmConfig>>> asked_config = std::make_shared<std::optional<Result<SlurmConfig>>>();

    // What slurm.conf says; the helper is asked once. The options nodename=, helper= and slurm_conf= count.
    [[nodiscard]] const Result<SlurmConfig>& slurm_config() const;

    // The options in force: those of the first account line, else of the first session line, else the defaults.
    [[nodiscard]] const Options& options() const;
    // The module's file: where the first line names it, looked for as libpam does. None where there is no such file.
    [[nodiscard]] std::optional<std::string> module_file() const;
    [[nodiscard]] std::string module_as_written() const;  // "pam_slurm_adopt.so" where no line names one
};

// Reads both stacks.
[[nodiscard]] Node look_at(CheckRoots roots, std::string service);

}  // namespace slurm_adopt::tool
