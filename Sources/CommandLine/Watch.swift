// SPDX-License-Identifier: Apache-2.0
import Linux
import Request

/// Stands by while a checkpoint or restart is under way: tells its steps, shows how far it is, and
/// calls it off when the user wants that.
public final class Watch {
  public let messages: Messages
  private var display: ProgressDisplay

  public init(_ messages: Messages, progress: ProgressMeter.When) {
    self.messages = messages
    display = ProgressDisplay(progress, isQuiet: messages.verbosity < 0)
    Interrupt.watch()
  }

  public func makeReport() -> Report {
    var report = Report(
      onStep: { words in
        self.display.words = words
        self.messages.step(words)
      },
      onProgress: { done, total in
        self.display.update(done: done, total: total)
        return Interrupt.signal == nil
      })
    report.onTrouble = { [messages] words in messages.error(words) }
    return report
  }

  /// To be called when the trip is over, before anything is printed.
  public func finish() { display.finish() }
}
