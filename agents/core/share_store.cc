#include "agents/core/share_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "agents/core/files.h"

namespace headgate::agent {
namespace {

constexpr mode_t kReadableByAll = 0644;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

ShareStore::ShareStore(std::string path, std::string without, ShareForm form)
    : path_(std::move(path)), without_(std::move(without)), form_(std::move(form)) {}

void ShareStore::Read(Reading& reading) const {
  const absl::StatusOr<std::string> text = ReadSmallFile(path_);
  if (!text.ok()) {
    AddTrouble(reading.trouble, fmt::format("{}: {}", Words(text.status()), without_));
    return;
  }
  const absl::StatusOr<ShareFile> share = form_.parse(*text);
  if (!share.ok()) {
    AddTrouble(reading.trouble, fmt::format("{}: {}", path_, Words(share.status())));
    return;
  }
  // Nobody writes that: it is one that was cut, and not the 0 % that a load balancer reads in it.
  if (text->empty()) {
    AddTrouble(reading.trouble, fmt::format("{} is empty: it says no share", path_));
    return;
  }
  reading.at_next_start = ShareOfWidth(share->width);
}

absl::Status ShareStore::Write(const Apply& apply) const {
  const std::string text = form_.text({apply.share.Width(), apply.retry_after_s});
  const absl::StatusOr<std::string> present = ReadSmallFile(path_);
  if (present.ok() && *present == text) return absl::OkStatus();
  const absl::Status replaced = ReplaceFile(path_, text);
  // The load balancer reads a new one too, maybe as another user; it holds no secret.
  if (replaced.ok() && absl::IsNotFound(present.status())) chmod(path_.c_str(), kReadableByAll);
  // A lowering that a full disk keeps out of the file would be undone by a reload.
  const bool may_go_in_place =
      apply.direction == Direction::kDown && absl::IsResourceExhausted(replaced);
  return may_go_in_place && WriteInPlace(path_, text).ok() ? absl::OkStatus() : replaced;
}

absl::Status ShareStore::Sync() const { return MakeDurable(path_); }

ApplyOutcome ShareStore::Put(const Apply& apply,
                             const std::function<absl::Status(const ShareFile&)>& set) const {
  ApplyOutcome outcome;
  // Until the load balancer is told.
  const KeptFile old(path_);
  outcome.at_next_start = Write(apply);
  if (apply.direction == Direction::kUp && !outcome.at_next_start.ok()) {
    outcome.in_memory = NotRaised(apply.share, outcome.at_next_start);
    return outcome;
  }
  outcome.in_memory = set({apply.share.Width(), apply.retry_after_s});
  return outcome;
}

std::vector<std::string> CheckShareFile(const std::string& path, const std::string& make_it,
                                        const ShareForm& form) {
  std::vector<std::string> findings;
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (!text.ok()) {
    findings.push_back(fmt::format("{}: make it with `{}`", Words(text.status()), make_it));
  } else if (const auto share = form.parse(*text); !share.ok()) {
    findings.push_back(fmt::format("{}: {}", path, Words(share.status())));
  }
  if (const absl::Status status = TryToWriteIn(FolderOf(path)); !status.ok()) {
    findings.push_back(fmt::format(
        "the folder of {} takes no new file, so nothing can be raised: {}", path, Words(status)));
  }
  return findings;
}

std::string OtherAtNextStart(const std::string& load_balancer, const char* file, const char* event,
                             const Reading& reading) {
  if (!reading.in_force || !reading.at_next_start || *reading.at_next_start == *reading.in_force) {
    return "";
  }
  return fmt::format(
      "{} enforces {}, its {} says {}: a {} would change the share; a running agent mends this "
      "within a second",
      load_balancer, reading.in_force->ToString(), file, reading.at_next_start->ToString(), event);
}

void AddTrouble(std::string& trouble, const std::string& words) {
  if (!trouble.empty()) trouble += "; ";
  trouble += words;
}

std::string MissingSlow(const std::string& load_balancer, const std::vector<std::uint32_t>& wanted,
                        const std::vector<std::uint32_t>& counted) {
  if (counted == wanted) return "";
  std::vector<std::uint32_t> missing;
  std::set_difference(wanted.begin(), wanted.end(), counted.begin(), counted.end(),
                      std::back_inserter(missing));
  return fmt::format(
      "{} does not count answers slower than {} ms, which the agent's configuration names (slow): "
      "print the snippet again with --slow {}ms",
      load_balancer, fmt::join(missing, " ms, "), fmt::join(wanted, "ms,"));
}

}  // namespace headgate::agent
