// SPDX-License-Identifier: GPL-2.0
/*
 * May a DMA controller be unbound at any moment without a client losing the
 * memory of its channel? One controller, two clients, and users who bind, unbind
 * and open them at random, for ever or until they stop. What can go wrong:
 *
 *   use_after_free	a channel is touched after its memory was freed
 *   left_holding	the controller is unbound and somebody holds a channel
 *   warned		a WARN_ON() of the driver core
 *   invalid end state	a deadlock. Users may stop at any time, so an unbind that
 *			waits for what nobody will do ends here, too
 *   non-progress cycle	an unbind that goes round for ever (pan -l)
 *
 * One step is what others cannot see a part of: a read or a write of a status, or
 * all that is done under device_links_lock or dma_list_mutex at a time. Left out:
 * weak memory ordering, the order of locks, runtime PM, system sleep, clients
 * without a driver, links that others have made between the same two devices.
 *
 * -D breaks something:
 *   NO_FIRST_LOOK	do not look at the states before adding the link
 *   UNLINKED		a client that is being unbound gets its channel, without a link
 *   NO_SECOND_LOOK	do not look at them again after it
 *   NO_CLIENT_LOOK	look again at the controller only
 *   NO_MARK		take the controller off the list after waiting, not before
 *   NO_SYNC		do not wait for requests in flight
 *   NO_REFUSAL		device_link_add() adds links while a side is being unbound
 *   SYNC_LOCKED	wait for requests in flight under dma_list_mutex
 *   LINKS_FIRST	if a probe fails, the links are dropped before devres releases the
 *			channel of client 0
 *   ACTIVE_ONLY	do not wait for a consumer that the other thread is to unbind
 *   SPIN		a probe begun in sysfs is not counted, so the unbind spins
 * or adds something:
 *   UNBINDERS=2	two threads bind and unbind the controller
 * or leads to an error sooner:
 *   ONLY=0, ONLY=1	one client
 *   GO_ON		go on after what is no use after free
 */
#ifndef UNBINDERS
#define UNBINDERS 1
#endif
#define CTRL 2						/* 0 and 1 are the clients */

mtype:dev = { NO_DRIVER, PROBING, BOUND, UNBINDING };	/* enum dl_dev_state */
mtype:dl = { NONE, DORMANT, AVAILABLE, CONSUMER_PROBE, ACTIVE, SUPPLIER_UNBIND };

mtype:dev status[3] = NO_DRIVER;	/* dev->links.status */
mtype:dl link[2] = NONE;		/* from client to controller; NONE: there is none */
bool locked[3];				/* device_lock() */
bool port, alive;			/* client 1: mutex of its tty port, may be opened */
bool list_locked;			/* dma_list_mutex, where it is held for long */
bool listed;				/* on dma_device_list and not "unregistering" */
bool held[2], stale[2];			/* the client has a channel; its memory is freed */
byte readers, awaited;			/* in dma_request_srcu; and waited for */
byte probes;				/* probe_count of dd.c */
bool use_after_free, left_holding, warned;

#define busy(c)	(link[c] == CONSUMER_PROBE || link[c] == ACTIVE)

inline lock(m)		{ atomic { !m -> m = true } }
inline unlock(m)	{ m = false }
inline touch(c)		{ use_after_free = stale[c]; assert(!use_after_free) }
#ifdef GO_ON
inline WARN_ON(x)	{ skip }
inline nobody_holds()	{ skip }
#else
inline WARN_ON(x)	{ warned = (x); assert(!warned) }
inline nobody_holds()	{ left_holding = held[0] || held[1]; assert(!left_holding) }
#endif

/* drivers/dma/dmaengine.c */

inline dma_release_channel(c)	/* stands for every use before it, too */
{
	d_step { !list_locked -> touch(c); held[c] = false; stale[c] = false }
}

inline release_if_held(c)	{ if :: held[c] -> dma_release_channel(c) :: else fi }

inline device_link_add(c)	/* and device_link_init_status(); a link that is there is reused */
{
	d_step { if
#ifndef NO_REFUSAL
	:: status[c] == UNBINDING || status[CTRL] == UNBINDING		/* NULL */
#endif
	:: else -> if
		:: link[c] != NONE
		:: link[c] == NONE && status[CTRL] == BOUND ->
			link[c] = (status[c] == PROBING -> CONSUMER_PROBE :
				  (status[c] == BOUND -> ACTIVE : AVAILABLE))
		:: link[c] == NONE && status[CTRL] == PROBING ->
			link[c] = (status[c] == PROBING -> CONSUMER_PROBE : DORMANT)
		:: link[c] == NONE && status[CTRL] == UNBINDING -> link[c] = SUPPLIER_UNBIND
		:: link[c] == NONE && status[CTRL] == NO_DRIVER -> link[c] = DORMANT
		fi
	fi }
}

inline look_at_client(c) { refused = refused || (status[c] != PROBING && status[c] != BOUND) }

inline dma_request_chan(c)	/* if it is refused, held[c] is false: -EPROBE_DEFER */
{
	readers = readers | (1 << c);				/* srcu_read_lock() */
	atomic { !list_locked -> held[c] = listed; refused = !listed };	/* dma_list_mutex */
#ifndef NO_FIRST_LOOK
	if
	:: held[c] -> atomic { touch(c); refused = (status[CTRL] != BOUND) }; look_at_client(c)
	:: else
	fi;
#endif
	if
#ifdef UNLINKED
	:: refused && held[c] && status[CTRL] == BOUND && status[c] == UNBINDING -> refused = false
#endif
	:: !refused ->
		device_link_add(c);				/* NULL is no error (rule 4) */
#ifndef NO_SECOND_LOOK
		refused = (status[CTRL] != BOUND);
#ifndef NO_CLIENT_LOOK
		look_at_client(c);
#endif
#endif
		d_step { touch(c) }
	:: else
	fi;
	if
	:: refused && held[c] -> dma_release_channel(c)
	:: else
	fi;
	d_step {						/* srcu_read_unlock() */
		refused = false;
		readers = readers & ~(1 << c);
		awaited = awaited & ~(1 << c)
	}
}

inline dma_async_device_unregister()	/* then the driver frees its memory */
{
#ifdef SYNC_LOCKED
	list_locked = true;
#endif
#ifndef NO_MARK
	listed = false;
#endif
#ifndef NO_SYNC
	awaited = readers; awaited == 0;			/* synchronize_srcu() */
#endif
	d_step { list_locked = false; listed = false; stale[0] = held[0]; stale[1] = held[1] }
}

/* drivers/base, for a client. It has no consumers, so it is never busy itself. */

inline hangup()			/* of client 1: no open() is under way and none will be */
{
	lock(port); alive = false; release_if_held(1); unlock(port)
}

inline give_up(c)		/* what a driver does in remove(), or when its probe() fails */
{
	if :: c == 0 -> release_if_held(0) :: c == 1 -> hangup() fi
}

inline links_no_driver(c)	/* __device_links_no_driver(), by AUTOREMOVE_CONSUMER */
{
	d_step { link[c] = NONE; status[c] = NO_DRIVER }
}

inline release_driver(c)	/* device_release_driver_internal() */
{
	lock(locked[c]);
	if
	:: status[c] == BOUND ->
		status[c] = UNBINDING;				/* device_links_busy() */
		give_up(c);					/* remove(), devres */
		links_no_driver(c)				/* device_links_driver_cleanup() */
	:: else
	fi;
	unlock(locked[c])
}

inline probe(c)			/* really_probe() */
{
	if :: probes++; counted = true :: skip fi;		/* skip: a bind in sysfs */
	d_step { assert(link[c] == NONE); status[c] = PROBING };	/* ..._check_suppliers() */
	if :: dma_request_chan(c) :: skip fi;			/* skip: it does without */
	if
	:: c == 1 -> release_if_held(1); alive = true		/* just tried; open() from now on */
	:: else
	fi;
	if
	:: d_step {						/* device_links_driver_bound() */
		WARN_ON(link[c] != NONE && link[c] != CONSUMER_PROBE);
		link[c] = (link[c] == NONE -> NONE : ACTIVE);
		status[c] = BOUND
	   }
	:: true ->						/* or it fails, whatever it got */
#ifdef LINKS_FIRST
		if :: c == 1 -> hangup() :: else fi;
		links_no_driver(c);				/* device_links_no_driver() */
		if :: c == 0 -> release_if_held(0) :: else fi	/* device_unbind_cleanup() */
#else
		give_up(c);
		links_no_driver(c)
#endif
	fi;
	d_step { probes = probes - counted; counted = false }
}

proctype client(byte c)
{
	bool refused, counted;

	do
	:: lock(locked[c]);
		if :: status[c] == NO_DRIVER -> probe(c) :: else fi;
progress_bind:	unlock(locked[c])
	:: release_driver(c);
progress_unbind: skip
	:: break
	od
}

proctype opener()		/* open() and close() of client 1 */
{
	bool refused;

	do
	:: lock(port);
		if :: alive && !held[1] -> dma_request_chan(1) :: else fi;
progress_open:	unlock(port)
	:: lock(port);
		if :: alive -> release_if_held(1) :: else fi;
progress_close:	unlock(port)
	:: break
	od
}

/* drivers/base, for the controller */

#ifndef ACTIVE_ONLY
#define leaving(c) (link[c] == SUPPLIER_UNBIND && (status[c] == BOUND || status[c] == UNBINDING))
#else
#define leaving(c) false
#endif
#ifdef SPIN
#define counted_or_spin true
#else
#define counted_or_spin (probes > 0)
#endif
#define in_use(c)	(busy(c) || leaving(c))

inline mark(c)		{ link[c] = (link[c] == NONE -> NONE : SUPPLIER_UNBIND) }

inline device_links_busy()	/* the links marked before a busy one make no difference */
{
	d_step {
		again = in_use(0) || in_use(1);
		if :: !again -> mark(0); mark(1) :: else fi;
		status[CTRL] = UNBINDING
	}
}

/* A probe begun in sysfs is not counted, and spun on. Here that is blocking. */
inline device_links_unbind_consumers()
{
	do
	:: counted_or_spin && (link[0] == CONSUMER_PROBE || link[1] == CONSUMER_PROBE) ->
		probes == 0					/* wait_for_device_probe() */
	:: atomic { link[0] == ACTIVE || leaving(0) -> mark(0) }; release_driver(0)
	:: atomic { link[1] == ACTIVE || leaving(1) -> mark(1) }; release_driver(1)
	:: atomic { !in_use(0) && !in_use(1) -> mark(0); mark(1); break }
	od
}

inline cleanup(c)
{
	WARN_ON(link[c] != NONE);
	link[c] = (link[c] == NONE -> NONE : DORMANT)
}

inline unbind_controller()	/* __device_release_driver() */
{
	device_links_busy();
	do
	:: again ->
		unlock(locked[CTRL]);
		device_links_unbind_consumers();
		lock(locked[CTRL]);
		if
		:: atomic { status[CTRL] == NO_DRIVER -> again = false; break }	/* by the other */
		:: else -> device_links_busy()
		fi
	:: else ->
		dma_async_device_unregister();			/* remove(), devres */
		d_step {					/* device_links_driver_cleanup() */
			nobody_holds();
			cleanup(0); cleanup(1);
			status[CTRL] = NO_DRIVER
		}
		break
	od
}

inline supplier_bound(c)
{
	WARN_ON(link[c] == AVAILABLE || link[c] == SUPPLIER_UNBIND);
	link[c] = (link[c] == NONE || busy(c) -> link[c] : AVAILABLE)
}

inline bind_controller()	/* really_probe() */
{
	status[CTRL] = PROBING;
	listed = true;						/* dma_async_device_register() */
	if
	:: d_step {						/* device_links_driver_bound() */
		supplier_bound(0); supplier_bound(1);
		status[CTRL] = BOUND
	   }
	:: true ->						/* or it fails afterwards */
		dma_async_device_unregister();
		d_step {					/* device_links_no_driver() */
			link[0] = (busy(0) -> DORMANT : link[0]);
			link[1] = (busy(1) -> DORMANT : link[1]);
			status[CTRL] = NO_DRIVER
		}
	fi
}

proctype controller()
{
	bool again;

	do
	:: lock(locked[CTRL]);
		if :: status[CTRL] == NO_DRIVER -> bind_controller() :: else fi;
progress_bind:	unlock(locked[CTRL])
	:: lock(locked[CTRL]);
		if :: status[CTRL] != NO_DRIVER -> unbind_controller() :: else fi;
progress_unbind: unlock(locked[CTRL])
	:: break
	od
}

init
{
	atomic {
#if !defined(ONLY) || ONLY == 0
		run client(0);
#endif
#if !defined(ONLY) || ONLY == 1
		run client(1);
		run opener();
#endif
#if UNBINDERS == 2
		run controller();
#endif
		run controller()
	}
}
