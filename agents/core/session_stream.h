// One stream with one controller: writes what the outbox has, one message at a time, and hands on
// what comes. Made and destroyed on the session's thread; gRPC's threads call the On… methods, any
// thread may Pump. Promises: no call blocks, and after Finished nothing is called any more.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agents/core/outbox.h"
#include "agents/core/session_wire.h"
#include "headgate/v1/agent.grpc.pb.h"

namespace headgate::agent {

class Stream : public grpc::ClientBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  using Monotonic = std::chrono::steady_clock;

  struct Parts {
    const Self& self;
    Outbox& outbox;
    // Of the boot: goes on from stream to stream. Used under the stream's lock only.
    std::uint64_t& sequence;
    // Counters are written at most this often.
    Duration push_every;
    // A refusal is sent at once.
    std::function<std::optional<v1::Report>(const v1::Directive&)> on_directive;
    std::function<void(const v1::Welcome&)> on_welcome;
  };

  Stream(Parts parts, v1::AgentControl::Stub& stub, const std::string& plaintext_name);
  // Ends the stream and waits for gRPC to let go of it.
  ~Stream() override;

  void Pump();
  void Cancel() { context_.TryCancel(); }

  // Waits until the stream is over, at most so long.
  bool WaitForEnd(Duration patience);
  bool is_welcome() const;
  // When the write that is under way began.
  std::optional<Monotonic::time_point> write_since() const;
  // After its end.
  grpc::Status status() const;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  // Fills outgoing_ with what is most urgent; false if there is nothing.
  bool NextMessage();

  Parts parts_;
  grpc::ClientContext context_;
  // Of gRPC, between StartRead and OnReadDone.
  v1::ControllerMessage incoming_;

  mutable std::mutex mutex_;
  std::condition_variable done_changed_;
  // Protected by mutex_. outgoing_ is gRPC's while write_since_ is set.
  v1::AgentMessage outgoing_;
  std::optional<Monotonic::time_point> write_since_;
  bool wants_hello_ = true;
  bool is_welcome_ = false;
  bool is_over_ = false;
  bool is_done_ = false;
  std::vector<GateWord> changed_;
  // Of the newest directive that no gate took.
  std::optional<v1::Report> refusal_;
  Monotonic::time_point counted_at_;
  grpc::Status status_;
};

}  // namespace headgate::agent
