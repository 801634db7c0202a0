#include "controller/api/gate_watch.h"

#include <fmt/format.h>

#include <utility>

#include "controller/api/callers.h"
#include "controller/api/certificate_end.h"
#include "controller/api/view.h"
#include "controller/engine/order_rules.h"

namespace headgate::api {
namespace {

// gRPC calls the On… methods on its own threads, which post; the rest is on the loop's thread.
class GateWatch : public grpc::ServerWriteReactor<v1::Gate> {
 public:
  GateWatch(Loop& loop, conductor::Conductor& conductor, grpc::CallbackServerContext* context,
            std::string gate, absl::Status status)
      : loop_(loop),
        conductor_(conductor),
        context_(context),
        gate_(std::move(gate)),
        certificate_end_(loop, conductor.clock(), *context) {
    loop_.Post([this, status = std::move(status)] { Begin(status); });
  }

  void OnWriteDone(bool ok) override {
    loop_.Post([this, ok] {
      is_writing_ = false;
      loop_.Cancel(write_timer_);
      if (!ok) {
        End(absl::OkStatus());
      } else if (is_dirty_) {
        Send();
      }
    });
  }
  void OnCancel() override {
    loop_.Post([this] { End(absl::CancelledError("the watch was cancelled")); });
  }
  void OnDone() override {
    loop_.Post([this] {
      Leave();
      delete this;
    });
  }

 private:
  void Begin(const absl::Status& status) {
    if (!status.ok()) {
      End(status);
      return;
    }
    if (!HasGate(conductor_, gate_)) {
      End(NoGate(conductor_, gate_));
      return;
    }
    certificate_end_.Begin([this](const absl::Status& why) { End(why); });
    watcher_ = conductor_.Watch(gate_, [this] { Send(); });
    if (watcher_ == 0) {
      End(absl::ResourceExhaustedError(
          fmt::format("{} watch already, the limit", conductor::kWatchersMax)));
      return;
    }
    Send();
  }

  void Send() {
    is_dirty_ = true;
    if (is_writing_ || has_ended_ || !HasGate(conductor_, gate_)) return;
    is_dirty_ = false;
    is_writing_ = true;
    outgoing_ = ViewGate(conductor_, gate_);
    write_timer_ = loop_.After(kWatchWriteMax, [this] { context_->TryCancel(); });
    StartWrite(&outgoing_);
  }

  void End(const absl::Status& status) {
    Leave();
    if (has_ended_) return;
    has_ended_ = true;
    Finish(ToGrpc(status));
  }

  void Leave() {
    loop_.Cancel(write_timer_);
    certificate_end_.Cancel();
    if (watcher_ != 0) conductor_.Unwatch(watcher_);
    watcher_ = 0;
  }

  Loop& loop_;
  conductor::Conductor& conductor_;
  grpc::CallbackServerContext* const context_;
  const std::string gate_;
  CertificateEnd certificate_end_;
  v1::Gate outgoing_;
  std::uint64_t watcher_ = 0;
  Loop::TimerId write_timer_ = 0;
  bool is_writing_ = false;
  bool is_dirty_ = false;
  bool has_ended_ = false;
};

}  // namespace

absl::Status NoGate(const conductor::Conductor& conductor, const std::string& gate) {
  return engine::NoSuchGate(conductor.state(), gate, Share::All());
}

bool HasGate(const conductor::Conductor& conductor, const std::string& gate) {
  const auto found = conductor.state().gates.find(gate);
  return found != conductor.state().gates.end() && found->second.exists;
}

grpc::ServerWriteReactor<v1::Gate>* NewGateWatch(Loop& loop, conductor::Conductor& conductor,
                                                 grpc::CallbackServerContext* context,
                                                 std::string gate, absl::Status status) {
  return new GateWatch(loop, conductor, context, std::move(gate), std::move(status));
}

}  // namespace headgate::api
