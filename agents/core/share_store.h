// The share file as every load balancer's enforcer uses it: what it reads at its start, written
// before its memory is changed. One keeper's thread, but for Sync.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agents/core/gate.h"
#include "agents/core/order.h"
#include "agents/core/share_file.h"

namespace headgate::agent {

// How a load balancer wants its file written: as share_file.h, unless it has a form of its own.
struct ShareForm {
  std::function<std::string(const ShareFile&)> text = ShareFileText;
  std::function<absl::StatusOr<ShareFile>(const std::string&)> parse = ParseShareFile;
};

class ShareStore {
 public:
  // `without`: what becomes of the load balancer at a start without the file, for people.
  ShareStore(std::string path, std::string without, ShareForm form = {});

  // Fills `at_next_start`, or says in `trouble` why not.
  void Read(Reading& reading) const;
  // As Enforcer's of the same names.
  absl::Status Write(const Apply& apply) const;
  absl::Status Sync() const;
  // The file first, without waiting for the disk: a start in between then reads the same share.
  // `set` changes the memory; it is not called where a raise could not be written.
  ApplyOutcome Put(const Apply& apply,
                   const std::function<absl::Status(const ShareFile&)>& set) const;

 private:
  const std::string path_;
  const std::string without_;
  const ShareForm form_;
};

// What is wrong with the file and its folder; `make_it`: the command that makes the file.
std::vector<std::string> CheckShareFile(const std::string& path, const std::string& make_it,
                                        const ShareForm& form = {});

// In words, where a reload or restart (`event`) would bring another share than is in force; empty
// where it would not. `file`: what people call the file.
std::string OtherAtNextStart(const std::string& load_balancer, const char* file, const char* event,
                             const Reading& reading);

void AddTrouble(std::string& trouble, const std::string& words);

// Of ascending thresholds: those of `wanted` that `load_balancer` does not count, in words; empty
// if it counts all.
std::string MissingSlow(const std::string& load_balancer, const std::vector<std::uint32_t>& wanted,
                        const std::vector<std::uint32_t>& counted);

}  // namespace headgate::agent
