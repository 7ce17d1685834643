/* All public headers: see runtime.h first, then agent.h. */
#ifndef QHIVE_QHIVE_H
#define QHIVE_QHIVE_H

#include "qhive/agent.h"
#include "qhive/batch.h"
#include "qhive/index.h"
#include "qhive/result.h"
#include "qhive/runtime.h"
#include "qhive/zones.h"

#endif
