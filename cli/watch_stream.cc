#include "cli/watch_stream.h"

#include <grpc/support/time.h>

#include <utility>

namespace headgate::cli {

WatchStream::WatchStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& gate)
    : stub_(channel) {
  v1::GetGateRequest request;
  request.set_gate(gate);
  reader_ = stub_.AsyncWatchGate(&context_, request, &queue_, TagOf(Step::kStart));
}

WatchStream::~WatchStream() {
  context_.TryCancel();
  // gRPC writes into our members until the last operation is back.
  while (!has_ended_) Next(Duration(1'000));
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

WatchStream::Event WatchStream::Next(Duration timeout) {
  if (has_ended_) return Event::kEnded;
  const gpr_timespec end = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                        gpr_time_from_millis(timeout.count(), GPR_TIMESPAN));
  void* tag = nullptr;
  bool ok = false;
  while (queue_.AsyncNext(&tag, &ok, end) == grpc::CompletionQueue::GOT_EVENT) {
    const Step step = *static_cast<Step*>(tag);
    if (step == Step::kFinish) {
      has_ended_ = true;
      const bool is_answer = IsFromController(context_, status_);
      // A stream has no limit of its own.
      result_ = CallResult{ToStatus(status_, is_answer, Duration(0)),
                           is_answer ? Reach::kAnswered : Reach::kSent};
      return Event::kEnded;
    }
    if (!ok) {
      reader_->Finish(&status_, TagOf(Step::kFinish));
      continue;
    }
    const bool has_gate = step == Step::kRead;
    if (has_gate) shown_ = std::move(read_);
    read_.Clear();
    reader_->Read(&read_, TagOf(Step::kRead));
    if (has_gate) return Event::kGate;
  }
  return Event::kNothing;
}

}  // namespace headgate::cli
