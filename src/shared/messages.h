/* The message queue: bytes from one agent to another, or to all of a category.
 *
 * A message is one block of the message pool (4 KiB; the heap lends when the pool is out, which the pool counts), held by its
 * deliveries: a broadcast is one block and as many references. Each agent has an inbox, first in, first out, whoever the senders are.
 *
 *   inboxes, by slot            deliveries                    blocks of the pool
 *   agent | first | last --->   next | message | sender -->   references | from | length | payload (a copy)
 *
 * Back-pressure: `capacity` deliveries may wait; what does not fit is refused whole with QH_INVALID_STATE, nothing is lost or
 * overwritten. Fairness: a sender that has nothing waiting may always send one message, for that has a place of its own beyond
 * the capacity. So however many others flood the queue, a sender is refused only while a message of its own waits to be received,
 * and since inboxes are first in, first out, nothing that comes later can hold that up. At most capacity + one message for each
 * sender wait.
 *
 * What waits for an agent that is destroyed is given back; what it has sent is still delivered.
 *
 * Invariants (qh_messages_validate): deliveries in inboxes == length; these and the free ones are all; a block has as many references
 * as deliveries; `waiting` of an agent is the deliveries of what it sent. */
#ifndef QH_SHARED_MESSAGES_H
#define QH_SHARED_MESSAGES_H

#include "base/handle.h"
#include "memory/memory.h"
#include "sync/room.h"

#define QH_MESSAGE_PAYLOAD (QH_MESSAGE_BYTES - 16u)

typedef struct qh_message {
    uint32_t references;
    qh_handle from;
    uint32_t byte_count;
    uint32_t check; /* scratch of the validation */
    unsigned char payload[QH_MESSAGE_PAYLOAD];
} qh_message;

_Static_assert(sizeof(qh_message) == QH_MESSAGE_BYTES, "a message is a block of the pool");

typedef struct qh_delivery {
    qh_message *message;
    uint32_t next; /* 1 + its number, 0: none */
} qh_delivery;

typedef struct qh_inbox {
    qh_handle agent;      /* 0: nobody yet */
    uint32_t first, last; /* deliveries, 1 + their numbers */
    uint32_t waiting;     /* deliveries of what the agent has sent */
    uint32_t check;
} qh_inbox;

typedef struct qh_messages {
    qh_memory *memory;
    qh_owner owner;
    qh_delivery *deliveries;
    qh_inbox *inboxes;
    uint32_t delivery_count, inbox_count; /* how many there is room for */
    uint32_t free;                        /* 1 + the first free delivery */
    uint32_t length, capacity;            /* deliveries that wait, that may */
    uint32_t blocks;                      /* messages that wait */
    double sent, received, refused;
#if QH_THREADS
    qh_message *sending;    /* the message that is being delivered: undone where its sender dies */
    double sent_before;     /* `sent` then */
    double taking;          /* 1 + `received` before what is being taken; 0: nothing is */
    uint32_t length_before; /* `length` then */
#endif
    QH_ROOM_MUTEX
} qh_messages;

/* What to send to whom: each receiver once. */
typedef struct qh_message_def {
    qh_handle from;
    const qh_handle *to;
    uint32_t receivers;
    const void *payload;
    uint32_t byte_count;
#if QH_THREADS
    bool (*lives)(
        const void *context,
        qh_handle
            agent); /* NULL, or asked of the first receiver under the lock: else QH_STALE_HANDLE */
    const void *context;
#endif
} qh_message_def;

/* Room for 8 deliveries a block of the message pool, 64 at least. */
void qh_messages_open(qh_messages *messages, qh_memory *memory);

/* Gives all memory back. */
void qh_messages_close(qh_messages *messages);

/* Sends a message. QH_INVALID_STATE: full. QH_INVALID_ARGUMENT for no receiver or more than QH_MESSAGE_PAYLOAD bytes; failures of the
 * heap. Nothing has changed then. */
qh_result qh_messages_send(qh_messages *messages, const qh_message_def *def);

/* The oldest message for an agent, NULL where there is none. It stays, and valid, until it is taken. */
qh_result qh_messages_peek(qh_messages *messages, qh_handle agent, const qh_message **message);

/* Takes it out. QH_INVALID_STATE where there is none. */
qh_result qh_messages_take(qh_messages *messages, qh_handle agent);

/* Gives back what waits for an agent, which is destroyed. */
void qh_messages_forget(qh_messages *messages, qh_handle agent);

bool qh_messages_validate(const qh_messages *messages);

#if QH_THREADS
/* After the death of who held the lock, with the memory lock held: a message that was being sent was not, one that was being taken is
 * taken if its inbox says so; everything else follows from the inboxes. What waits for or came from agents that do not live is given back.
 * False: the arrays are not what they should be, and all messages are given up. */
bool qh__messages_salvage(qh_messages *messages, bool (*lives)(const void *context, qh_handle),
                          const void *context);
#endif

#endif
