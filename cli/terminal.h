// Where `headgate` writes, and what stops it. Made by main, borrowed by everything else.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <ostream>

#include "common/base/clock.h"

namespace headgate::cli {

struct Size {
  int columns = 80;
  int rows = 24;
};

// One thread.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  // `out` is a terminal: pictures may be redrawn there.
  bool is_live = false;
  bool has_color = false;
  // Lines that are longer than `size` says may be cut: it is a terminal's, or the caller's word.
  bool has_width = false;
  // Block characters may be drawn: UTF-8, and not NO_COLOR.
  bool has_blocks = false;
  // Asked again for each picture: people resize windows.
  std::function<Size()> size = [] { return Size{}; };
};

// Ctrl-C. Any thread.
class Interrupt {
 public:
  void Raise();
  bool IsRaised() const;
  // Waits; true as soon as it is raised.
  bool WaitFor(Duration duration) const;
  // Somebody waits who does not look here: who raises it ends the program.
  bool IsUnheard() const { return unheard_ > 0; }

  // While it lives something may wait for good, as for the end of a pipe. Only where nothing has
  // been asked of a controller yet.
  class Unheard {
   public:
    explicit Unheard(const Interrupt& interrupt) : interrupt_(interrupt) { ++interrupt_.unheard_; }
    Unheard(const Unheard&) = delete;
    Unheard& operator=(const Unheard&) = delete;
    ~Unheard() { --interrupt_.unheard_; }

   private:
    const Interrupt& interrupt_;
  };

 private:
  mutable std::atomic<int> unheard_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool is_raised_ = false;  // protected by mutex_
};

}  // namespace headgate::cli
