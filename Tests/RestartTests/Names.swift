// SPDX-License-Identifier: Apache-2.0
import Snapshot

// Foundation has its own idea of these words.
typealias SavedProcess = Process
typealias SavedThread = Thread
