// SPDX-License-Identifier: GPL-2.0-or-later
#include "rest/jobs_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "rest/answer_fields.h"
#include "rest/job_state.h"
#include "rest/node_list.h"
#include "slurm_adopt/text.h"

namespace slurm_adopt::rest {
namespace {

using namespace helper_wire;

struct Job {
    std::optional<std::int64_t> job_id;
    std::optional<std::int64_t> user_id;
    std::int64_t start_time = 0;
    std::string nodes;
    std::string name;
    std::string partition;
    std::string account;
    std::int64_t node_count = 0;
    StateWords state;
    bool has_state = false;
};

// {"set": true, "infinite": false, "number": 7}
struct Number {
    bool is_set = true;
    bool is_infinite = false;
    std::optional<std::int64_t> value;
};

class JobsListener : public Listener {
public:
    JobsListener(const Wanted& wanted, std::int64_t now) : wanted_(wanted), now_(now) {}

    bool opens(std::size_t depth, bool is_object) override;
    bool closes(std::size_t depth) override;
    bool has_name(std::size_t depth, std::string_view name) override;
    bool has_text(std::size_t depth, std::string_view text) override;
    bool has_number(std::size_t depth, std::optional<std::int64_t> number) override;
    bool has_flag(std::size_t depth, bool flag) override;
    bool has_null(std::size_t depth) override;

    [[nodiscard]] const std::string& fault() const { return fault_; }
    [[nodiscard]] JobsAnswer&& answer() && { return std::move(answer_); }

private:
    bool fail(std::string fault)
    {
        fault_ = std::move(fault);
        return false;
    }
    bool wrong_type() { return fail("has a job with a " + name_ + " of another type"); }
    // A value at this depth is a field's own, or an element of its list, or a part of its number.
    [[nodiscard]] bool is_field(std::size_t depth) const { return depth == in_item && field_ != Field::none; }
    [[nodiscard]] bool is_part(std::size_t depth) const { return depth == in_value && field_ != Field::none; }
    bool outside_of_items(std::size_t depth);
    bool set_number(std::optional<std::int64_t> number);
    bool set_text(std::string_view text);
    bool end_job();
    bool take(const Job& job, JobState state);
    void take_details();

    const Wanted& wanted_;
    std::int64_t now_;
    JobsAnswer answer_;
    bool has_first_error_ = false;
    List list_ = List::none;
    Field field_ = Field::none;
    Part part_ = Part::none;
    std::string name_;
    Job job_;
    Number number_;
    std::string fault_;
};

bool JobsListener::opens(std::size_t depth, bool is_object)
{
    if (depth == in_answer) return is_object || fail("is no JSON object");
    if (depth == in_list) {
        if (is_object && list_ == List::jobs) return fail("has no list of jobs");
        if (is_object) list_ = List::none;
        if (list_ == List::jobs) answer_.has_list = true;
        return true;
    }
    if (list_ == List::none) return true;
    if (depth == in_item) {
        job_ = {};
        field_ = Field::none;
        return is_object || list_ == List::errors || fail("has a job that is no object");
    }
    if (depth == in_value && field_ != Field::none && list_ == List::jobs) {
        number_ = {};
        part_ = Part::none;
        if (is_object ? !is_number(field_) : field_ != Field::job_state) return wrong_type();
        if (field_ == Field::job_state) job_.has_state = true;
        return true;
    }
    const bool is_passed_over = depth == in_value || field_ == Field::none || (is_number(field_) && part_ == Part::none);
    return is_passed_over || list_ == List::errors || wrong_type();
}

bool JobsListener::closes(std::size_t depth)
{
    if (depth == in_list) list_ = List::none;
    if (depth == in_item && list_ == List::jobs) return end_job();
    if (depth == in_item && answer_.error) has_first_error_ = true;
    if (depth != in_value || list_ != List::jobs || !is_number(field_)) return true;
    if (!number_.value) return wrong_type();
    // Not set, or endless, is no number for us: no job's id or user is either.
    const bool counts = number_.is_set && !number_.is_infinite;
    return set_number(counts ? number_.value : std::optional<std::int64_t>(0));
}

bool JobsListener::has_name(std::size_t depth, std::string_view name)
{
    if (depth == in_answer) list_ = name == "jobs" ? List::jobs : name == "errors" ? List::errors : List::none;
    if (depth == in_item) {
        field_ = Field::none;
        if (list_ == List::jobs) field_ = job_field(name);
        if (list_ == List::jobs && field_ == Field::none && wanted_.job_id != 0) field_ = detail_field(name);
        if (list_ == List::errors && !has_first_error_) field_ = error_field(name);
        if (field_ != Field::none) name_ = name;
    }
    if (depth == in_value) part_ = part_of_number(name);
    return true;
}

// A plain value in the place of the list of jobs, or of a job.
bool JobsListener::outside_of_items(std::size_t depth)
{
    if (depth == 0) return fail("is no JSON object");
    if (depth == in_answer && list_ == List::jobs) return fail("has no list of jobs");
    if (depth == in_list && list_ == List::jobs) return fail("has a job that is no object");
    return true;
}

bool JobsListener::has_text(std::size_t depth, std::string_view text)
{
    if (depth < in_item) return outside_of_items(depth);
    if (is_field(depth)) return set_text(text);
    if (!is_part(depth) || list_ != List::jobs) return true;
    if (field_ == Field::job_state) {
        job_.state.add(text);
        return true;
    }
    return part_ == Part::none || wrong_type();
}

bool JobsListener::has_number(std::size_t depth, std::optional<std::int64_t> number)
{
    if (depth < in_item) return outside_of_items(depth);
    if (is_field(depth)) return set_number(number);
    if (!is_part(depth) || list_ != List::jobs) return true;
    if (field_ == Field::job_state || part_ == Part::set || part_ == Part::infinite) return wrong_type();
    if (part_ != Part::number) return true;
    number_.value = number;
    return number.has_value() || wrong_type();
}

bool JobsListener::has_flag(std::size_t depth, bool flag)
{
    if (depth < in_item) return outside_of_items(depth);
    if (list_ != List::jobs) return true;
    if (is_field(depth)) return wrong_type();
    if (!is_part(depth)) return true;
    if (field_ == Field::job_state || part_ == Part::number) return wrong_type();
    if (part_ == Part::set) number_.is_set = flag;
    if (part_ == Part::infinite) number_.is_infinite = flag;
    return true;
}

bool JobsListener::has_null(std::size_t depth)
{
    if (depth < in_item) return outside_of_items(depth);
    if (list_ != List::jobs || (!is_field(depth) && !is_part(depth))) return true;
    const bool may_be_missing = field_ == Field::nodes || field_ == Field::state_reason || field_ == Field::start_time ||
                                is_detail(field_);
    return (depth == in_item && may_be_missing) || (depth == in_value && part_ == Part::none && is_number(field_)) || wrong_type();
}

bool JobsListener::set_number(std::optional<std::int64_t> number)
{
    if (field_ == Field::error_number && number) {
        if (!answer_.error) answer_.error = RestError{};
        answer_.error->number = *number;
    }
    if (list_ != List::jobs) return true;
    if (!is_number(field_) || !number || *number < 0) return wrong_type();
    if (field_ != Field::start_time && *number > std::numeric_limits<std::uint32_t>::max()) return wrong_type();
    if (field_ == Field::job_id) job_.job_id = number;
    if (field_ == Field::user_id) job_.user_id = number;
    if (field_ == Field::start_time) job_.start_time = *number;
    if (field_ == Field::node_count) job_.node_count = *number;
    return true;
}

bool JobsListener::set_text(std::string_view text)
{
    if (list_ == List::errors && field_ != Field::error_number && !text.empty()) {
        if (!answer_.error) answer_.error = RestError{};
        std::string& known = answer_.error->text;
        known += (known.empty() ? "" : ", ") + printable(text);
    }
    if (list_ != List::jobs) return true;
    if (field_ == Field::nodes) job_.nodes = text;
    else if (field_ == Field::name) job_.name = text;
    else if (field_ == Field::partition) job_.partition = text;
    else if (field_ == Field::account) job_.account = text;
    else if (field_ == Field::state_reason) job_.state.set_reason(text);
    else if (field_ == Field::job_state) job_.state.add(text), job_.has_state = true;
    else return wrong_type();
    return true;
}

bool JobsListener::end_job()
{
    field_ = Field::none;
    if (!job_.job_id || !job_.user_id || !job_.has_state) return fail("has a job without job_id, user_id or job_state");
    if (wanted_.uid && *wanted_.uid != *job_.user_id) return true;
    if (wanted_.job_id != 0) {
        if (wanted_.job_id == *job_.job_id) take_details();
        return true;
    }
    const auto state = job_.state.state();
    if (!state) return true;
    switch (find_node(job_.nodes, wanted_.node)) {
    case Listed::no: return true;
    case Listed::yes: return take(job_, *state);
    case Listed::unreadable: break;
    }
    return fail("has a list of nodes that cannot be read: " + printable(job_.nodes));
}

bool JobsListener::take(const Job& job, JobState state)
{
    constexpr std::int64_t no_id = every_uid;  // from here on numbers are no ids
    if (*job.job_id == 0 || *job.job_id >= no_id || *job.user_id >= no_id) return fail("has a job whose job_id or user_id is none");
    if (answer_.jobs.size() == most_jobs) {
        answer_.has_more = true;
        return true;
    }
    const std::int64_t ran = job.start_time == 0 ? 0 : std::max<std::int64_t>(now_ - job.start_time, 0);
    ControllerJob told;
    told.job_id = static_cast<std::uint32_t>(*job.job_id);
    told.uid = static_cast<std::uint32_t>(*job.user_id);
    told.state = static_cast<std::uint32_t>(state);
    told.running_s = static_cast<std::uint32_t>(std::min<std::int64_t>(ran, std::numeric_limits<std::uint32_t>::max()));
    answer_.jobs.push_back(told);
    return true;
}

// A text that is too long for the reply is left out: half of it would be a wrong one.
void JobsListener::take_details()
{
    JobReply details;
    details.status = static_cast<std::uint32_t>(JobsStatus::answered);
    details.job_id = static_cast<std::uint32_t>(*job_.job_id);
    details.uid = static_cast<std::uint32_t>(*job_.user_id);
    details.node_count = static_cast<std::uint32_t>(job_.node_count);
    (void)put_whole(details.name, job_.name);
    (void)put_whole(details.partition, job_.partition);
    (void)put_whole(details.account, job_.account);
    (void)put_whole(details.nodes, job_.nodes);
    answer_.details = details;
}

}  // namespace

Result<JobsAnswer> read_jobs(Source& source, const Wanted& wanted, std::int64_t now)
{
    JobsListener listener(wanted, now);
    const auto is_read = read_json(source, listener);
    if (!is_read) return is_read.error();
    if (!is_read.value()) return Error{ErrorCode::malformed, 0, listener.fault()};
    return std::move(listener).answer();
}

}  // namespace slurm_adopt::rest
