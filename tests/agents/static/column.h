// One column of docs/FAILING_STATIC.md: a real load balancer with the gate 'shop' before an
// application, and a way between it and its agent that can be spoilt. One thread, but for
// StatusFor. A new load balancer is a class in columns.cc, a line of AllColumns, and a column of
// that page.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "agents/core/share_store.h"
#include "tests/support/relay.h"
#include "tests/support/stepped_clock.h"

namespace headgate::test {

class Column {
 public:
  struct Options {
    std::uint16_t app_port = 0;
    // Of the share's file; empty: one of its own.
    std::string share_folder{};
    const SteppedClock* clock = nullptr;
    bool upgradable = false;
  };

  virtual ~Column() = default;
  // The lines of agent.yaml below the gate's name.
  virtual std::string AgentYaml() const = 0;
  // What the user with this cookie gets; 0: no answer.
  virtual int StatusFor(const std::string& user) const = 0;
  // Where people come in.
  virtual std::uint16_t Port() const = 0;
  virtual std::string ShareFile() const = 0;
  virtual agent::ShareForm Form() const { return {}; }
  // How the agent asks and tells; where its agent decides, how that is asked.
  virtual Relay& control() = 0;
  // It asks its agent about each request: it knows by itself only whom the agent has admitted.
  virtual bool IsDecidedByItsAgent() const { return false; }
  // Where its agent does not answer it decides by the share's file, at which each of its workers
  // looks once a second: a lowering is in force that late.
  virtual bool LooksAtItsFileOnceASecond() const { return false; }
  virtual void Reload() = 0;
  virtual void KillAndStart() = 0;
  // Returns while the old one is still there, if a request to it is under way.
  virtual void UpgradeBesideTheOld() = 0;
  // Less in the share's file reaches it without a reload.
  virtual bool FollowsItsFile() const = 0;
  // Gated or not, it may drop a request that is under way when its clock is stepped.
  virtual bool DropsRequestsOverAStep() const { return false; }
  // What its wall clock says; 0: unknown.
  virtual std::int64_t UnixSeconds() const = 0;
};

struct Kind {
  // As in the page's head, in small letters.
  const char* name;
  std::function<std::unique_ptr<Column>(const Column::Options&)> make;
  // Why it cannot be had here; empty if it can.
  std::function<std::string()> why_none = [] { return std::string(); };
};
std::vector<Kind> AllColumns();
inline void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

}  // namespace headgate::test
