#include "cli/follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/changes.h"
#include "cli/watch_stream.h"
#include "cli/words.h"

namespace headgate::cli {
namespace {

constexpr Duration kTurn{50};
constexpr Duration kPauseBeforeRetry{200};
// While the controller is gone, so that the picture says every second for how long.
constexpr Duration kConnectTurn{600};

class Follower {
 public:
  Follower(const FollowRequest& request, const FollowParts& parts)
      : request_(request),
        parts_(parts),
        started_(parts.clock.Now()),
        restoration_(request.restoration) {}

  Followed Run() {
    while (true) {
      if (auto end = Interrupted()) return Finish(std::move(*end));
      const CallResult connected = parts_.controller.Connect(ConnectTimeout());
      if (!connected.ok()) {
        if (!was_connected_ && request_.restoration.empty() && !parts_.interrupt.IsRaised()) {
          return Finish(End{ExitCode::kNoController,
                            "no controller answers: " + std::string(connected.status.message())});
        }
        SayLost(std::string(connected.status.message()));
        continue;
      }
      if (auto end = FollowStream()) return Finish(std::move(*end));
      parts_.interrupt.WaitFor(kPauseBeforeRetry);
    }
  }

 private:
  // One stream; nothing if it broke and is worth trying again.
  std::optional<End> FollowStream() {
    WatchStream stream(parts_.controller.channel(), request_.gate);
    TimePoint heard = parts_.clock.Now();
    while (true) {
      if (auto end = Interrupted()) return end;
      switch (stream.Next(kTurn)) {
        case WatchStream::Event::kGate:
          heard = parts_.clock.Now();
          if (auto end = Take(stream.gate())) return end;
          break;
        case WatchStream::Event::kNothing:
          if (is_lost_) parts_.screen.ShowLost();
          if (parts_.clock.Now() - heard >= kSilenceMax) {
            SayLost(fmt::format("silent for {}", FormatAge(parts_.clock.Now() - heard)));
            return std::nullopt;
          }
          break;
        case WatchStream::Event::kEnded:
          return Ended(stream.result());
      }
    }
  }

  std::optional<End> Take(const v1::Gate& gate) {
    if (is_lost_) {
      parts_.screen.Say("the controller answers again at " + parts_.controller.address());
      is_lost_ = false;
    }
    was_connected_ = true;
    gate_ = gate;
    parts_.screen.Show(gate);
    if (restoration_.empty() && request_.until_end) {
      if (!gate.has_restoration()) {
        return End{ExitCode::kNotFound,
                   fmt::format("{} has no restoration to wait for", gate.name())};
      }
      restoration_ = gate.restoration().id();
    }
    if (restoration_.empty()) return std::nullopt;
    return EndOf(gate, restoration_);
  }

  std::optional<End> Ended(const CallResult& result) {
    const ExitCode code = ExitCodeOf(result, Verb::kWatch);
    const std::string why(result.status.message());
    const bool is_final =
        code == ExitCode::kNotFound || code == ExitCode::kNotAllowed || code == ExitCode::kUsage;
    if (is_final) return End{code, why};
    SayLost(why.empty() ? "the stream ended" : why);
    return std::nullopt;
  }

  void SayLost(const std::string& why) {
    if (is_lost_) {
      parts_.screen.ShowLost();
      return;
    }
    is_lost_ = true;
    parts_.screen.Say(
        fmt::format("no word from the controller ({}): looking for it again. No share rises "
                    "meanwhile; whoever is in stays in",
                    why));
  }

  // Ctrl-C or the timeout.
  std::optional<End> Interrupted() const {
    const bool runs = !gate_.has_value() || IsRunning(*gate_);
    const std::string goes_on =
        runs && (gate_.has_value() || !restoration_.empty())
            ? fmt::format(
                  "the restoration goes on; headgate watch {0} to look again, headgate "
                  "hold {0} to stop it where it is",
                  request_.gate)
            : "nothing was changed";
    if (parts_.interrupt.IsRaised()) return End{ExitCode::kDetached, "detached: " + goes_on};
    if (!request_.timeout || parts_.clock.Now() - started_ < *request_.timeout) return std::nullopt;
    if (is_lost_) {
      return End{ExitCode::kCouldNotTell,
                 "--timeout passed while no controller answered: could not tell how it stands"};
    }
    if (!runs) return End{ExitCode::kDone, "--timeout passed"};
    return End{ExitCode::kTimeout, "--timeout passed: " + goes_on};
  }

  Duration ConnectTimeout() const {
    const Duration most = is_lost_ ? kConnectTurn : kConnectTimeout;
    if (!request_.timeout) return most;
    const Duration left = *request_.timeout - (parts_.clock.Now() - started_);
    return std::clamp(left, Duration(1), most);
  }

  Followed Finish(End end) {
    return Followed{.code = end.code, .text = std::move(end.text), .gate = std::move(gate_)};
  }

  const FollowRequest& request_;
  const FollowParts& parts_;
  const TimePoint started_;
  std::string restoration_;
  std::optional<v1::Gate> gate_;
  bool was_connected_ = false;
  bool is_lost_ = false;
};

}  // namespace

Followed Follow(const FollowRequest& request, const FollowParts& parts) {
  return Follower(request, parts).Run();
}

}  // namespace headgate::cli
