/* SPDX-License-Identifier: Apache-2.0 */
#include "cr.h"

const char *cr_strerror(int number)
{
	switch (number) {
	case CR_ETEMPFAIL: return "Checkpoint called off by a callback";
	case CR_EPERMFAIL: return "Checkpoint failed for good in a callback";
	case CR_ENOSUPPORT: return "Process does not take part in checkpoints";
	case CR_EVERSION: return "Versions of the checkpoint library and engine differ";
	case CR_EOMITTED: return "Process left out of the checkpoint at its own wish";
	case CR_EBADARCH: return "Context file is of another kind of machine";
	case CR_EPTRACED: return "Process is being traced";
	case CR_EPTRACER: return "Process is tracing another";
	case CR_ERSTRTABRT: return "Restart aborted by a callback";
	case CR_ERESTARTED: return "Restarted from this checkpoint";
	case CR_ENOTCB: return "Only allowed in a checkpoint callback";
	case CR_ENOINIT: return "Thread has not called cr_init()";
	default: return strerror(number);
	}
}
