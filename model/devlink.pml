// SPDX-License-Identifier: GPL-2.0
/*
 * May a DMA controller be unbound at any moment? One controller, two clients,
 * and users who bind, unbind and open them at random, for ever or until they
 * stop. What can go wrong:
 *
 *   freed_in_use	a client has a channel of a controller that is gone
 *   turned_off_in_use	or whose hardware is off: even to release it is an error
 *   cannot_transfer	a client that is linked gets no channel in its remove()
 *   warned		a WARN_ON() of the driver core
 *   invalid end state	a deadlock. Users may stop at any time, so an unbind that
 *			waits for what nobody will do ends here, too
 *   non-progress cycle	an unbind that goes round for ever (pan -l)
 *
 * One step is what others cannot see a part of: a read or a write of a status, or
 * all that is done under device_links_lock or dma_list_mutex at a time. Left out:
 * weak memory ordering, the order of locks, runtime PM, system sleep, channel
 * links, links that others have made between the same two devices.
 *
 * -DWITHOUT= leaves out a part of dmaengine:
 */
#define CONTROLLER_LOOK	1	/* the look at the controller before the link is added */
#define CLIENT_LOOK	2	/* the look at the client before it */
#define LINK_STATUS	3	/* the look at the status of the link after it */
#define SECOND_LOOK	4	/* the second looks at both */
#define LINKED		5	/* a client that is linked gets its channel whatever the first show */
#define DRIVER_CHECK	6	/* a device without a driver is not linked */
#define LIST_FIRST	7	/* the controller goes off the list before its channels */
#define SYNC		8	/* dma_async_device_unregister() waits for requests */
#define OF_SYNC		9	/* of_dma_controller_free() does, too */
/*
 * -DWITH= is what the driver core of 7.3 does not withstand, -DDRIVER_CORE is the
 * one that does:
 */
#define RETRY		1	/* ask again after the race between link and unbind was lost */
#define WARN_LATE	2	/* see what is said about the link that is left from it */
#define DEVM		4	/* leave the channel to devres if a probe fails */
#define DEVM_FIRST	8	/* let devres ask for the first channel then */
/*
 * -DUNBINDERS=2 is another of these: two threads unbind the controller. -DDEFERRED:
 * a client is deferred for ever, and others ask for a channel on its behalf. An error
 * is found sooner with one client, -DONLY=0 or -DONLY=1 (that one has a port which is
 * opened and closed). -DGO_ON goes on after the two that are no use after free.
 */
#ifndef WITHOUT
#define WITHOUT 0
#endif
#ifndef WITH
#define WITH 0
#endif
#ifndef UNBINDERS
#define UNBINDERS 1
#endif
#ifdef DRIVER_CORE
#define AS_IN_7_3 false
#else
#define AS_IN_7_3 true
#endif
#ifdef GO_ON
#define ASSERT_NOT(x, y) skip
#else
#define ASSERT_NOT(x, y) x = (y); assert(!x)
#endif
#define WARN_ON(c, x)	ASSERT_NOT(warned, (x) && (!late[c] || with(WARN_LATE)))
#define without(part)	(WITHOUT == part)
#define with(use)	(((WITH) & (use)) != 0)
#define CTRL 2						/* 0 and 1 are the clients */

mtype:dev = { NO_DRIVER, PROBING, BOUND, UNBINDING };	/* enum dl_dev_state */
mtype:dl = { NONE, DORMANT, AVAILABLE, CONSUMER_PROBE, ACTIVE, SUPPLIER_UNBIND };

mtype:dev status[3] = NO_DRIVER;	/* dev->links.status */
mtype:dl link[2] = NONE;		/* from client to controller; NONE: there is none */
bool driver[2];				/* dev->driver */
bool locked[3];				/* device_lock() */
bool port[2], opened[2];		/* mutex of the client's port; it may be opened */
bool listed, gone;			/* controller: may be found; is off or freed */
bool held[2];				/* the client has a channel */
bool late[2];				/* its link was added after a race was lost */
byte readers, awaited;			/* in dma_request_srcu; and waited for */
bool freed_in_use, turned_off_in_use, cannot_transfer, warned;

#define lock(m)		atomic { !m -> m = true }
#define unlock(m)	m = false
#define busy(c)		(link[c] == CONSUMER_PROBE || link[c] == ACTIVE)
#define is_linked(c)	(link[c] == ACTIVE || link[c] == SUPPLIER_UNBIND)

#define controller_ok	(without(CONTROLLER_LOOK) || status[CTRL] == BOUND)
#define client_ok(c)	(without(CLIENT_LOOK) || status[c] != UNBINDING)
#define may_request(c)	(!late[c] || with(RETRY))
#define may_be_first(c)	(status[c] != NO_DRIVER || link[c] != NONE || with(DEVM_FIRST))

/* drivers/dma/dmaengine.c */

inline device_link_add(c)	/* and device_link_init_status(); a link that is there is reused */
{
	d_step { if
	:: link[c] == NONE && !AS_IN_7_3 && status[CTRL] == UNBINDING -> null = true
	:: link[c] == NONE && (AS_IN_7_3 || status[CTRL] != UNBINDING) ->
		late[c] = AS_IN_7_3 && !(controller_ok && client_ok(c));
		if
		:: status[c] == PROBING && (status[CTRL] == BOUND || status[CTRL] == PROBING) ->
			link[c] = CONSUMER_PROBE
		:: status[CTRL] == BOUND && status[c] == BOUND -> link[c] = ACTIVE
		:: status[CTRL] == BOUND && status[c] == UNBINDING ->
			link[c] = (AS_IN_7_3 -> AVAILABLE : ACTIVE)
		:: status[CTRL] == BOUND && status[c] == NO_DRIVER ->
			link[c] = (AS_IN_7_3 || !driver[c] -> AVAILABLE : CONSUMER_PROBE)
		:: status[CTRL] == UNBINDING -> link[c] = SUPPLIER_UNBIND
		:: else -> link[c] = DORMANT
		fi
	:: else
	fi }
}

inline dma_request_chan(c)	/* if it is refused, held[c] is false: -EPROBE_DEFER */
{
	d_step {						/* of_dma_lock or dma_list_mutex */
		held[c] = listed;
		freed_in_use = held[c] && gone;
		assert(!freed_in_use);
		readers = readers | (held[c] << c)		/* srcu_read_lock(), if it matters */
	};
	if
	:: held[c] ->
		refused = !controller_ok;			/* dma_client_is_linkable() */
		refused = refused || !client_ok(c);
		null = false;
		if
		:: (driver[c] || without(DRIVER_CHECK)) && !refused -> device_link_add(c)
		:: else
		fi;
		looked = !refused;
		if
		:: !null && driver[c] && !(refused && without(LINKED)) && (refused || !without(LINK_STATUS)) ->
			found = link[c];			/* dma_client_is_linked() */
			refused = !(found == CONSUMER_PROBE || found == ACTIVE ||
				    (found == SUPPLIER_UNBIND && status[c] == UNBINDING))
		:: else
		fi;
		if
		:: looked && !refused && !without(SECOND_LOOK) ->	/* also if there is no link */
			refused = (status[CTRL] != BOUND);
			refused = refused || status[c] == UNBINDING
		:: else
		fi;
		held[c] = !refused && driver[c];		/* without: as before, not looked at */
		d_step {					/* srcu_read_unlock() */
			readers = readers & ~(1 << c);
			awaited = awaited & ~(1 << c);
			refused = false;
			looked = false;
			null = false;
			found = NONE
		}
	:: else
	fi
}

inline synchronize_srcu(sync)	{ awaited = (without(sync) -> 0 : readers); awaited == 0 }

inline remove_controller()	/* what its driver does in remove(), or when its probe() fails */
{
	if
	:: listed = false;					/* of_dma_controller_free() */
		synchronize_srcu(OF_SYNC);
		d_step { gone = true; turned_off_in_use = held[0] || held[1]; assert(!turned_off_in_use) }
	:: true							/* not in the device tree */
	fi;
	listed = listed && without(LIST_FIRST);			/* dma_async_device_unregister() */
	synchronize_srcu(SYNC);
	d_step { gone = true; freed_in_use = held[0] || held[1]; assert(!freed_in_use) };
	listed = false
}

/* drivers/base, for a client. It has no consumers, so it is never busy itself. */

inline remove(c)		/* remove() and devres, or what a probe() that fails leaves to them */
{
	atomic { lock(port[c]); opened[c] = false };		/* no open() is under way */
	if
	:: !held[c] && may_request(c) && may_be_first(c) ->	/* a last transfer */
		dma_request_chan(c);
		ASSERT_NOT(cannot_transfer, !held[c] && is_linked(c) && !late[c] && status[c] == UNBINDING)
	:: true
	fi;
	d_step { held[c] = false; unlock(port[c]) }
}

inline links_no_driver(c)	/* __device_links_no_driver(), by AUTOREMOVE_CONSUMER */
{
	d_step { link[c] = NONE; late[c] = false; status[c] = NO_DRIVER; driver[c] = false }
}

inline release_driver(c)	/* device_release_driver_internal() */
{
	lock(locked[c]);
	if
	:: status[c] == BOUND ->
		status[c] = UNBINDING;				/* device_links_busy() */
		remove(c);
		links_no_driver(c)				/* device_links_driver_cleanup() */
	:: else
	fi;
	unlock(locked[c])
}

inline probe(c)			/* really_probe() */
{
	d_step { assert(link[c] == NONE); status[c] = PROBING; driver[c] = true };
	if :: dma_request_chan(c) :: true fi;			/* or it does without */
	opened[c] = true;
	if
	:: d_step {						/* device_links_driver_bound() */
		WARN_ON(c, link[c] != NONE && link[c] != CONSUMER_PROBE);
		link[c] = (link[c] == NONE -> NONE : ACTIVE);
		status[c] = BOUND
	   }
	:: true ->						/* or it fails, whatever it got */
		if
		:: with(DEVM) || with(DEVM_FIRST) ->
			atomic { !port[c] -> opened[c] = opened[c] && with(DEVM_FIRST) };
			d_step {				/* device_links_no_driver() */
				link[c] = (AS_IN_7_3 -> NONE : link[c]);
				status[c] = NO_DRIVER
			}
		:: else
		fi;
		remove(c);
		links_no_driver(c)
	fi
}

proctype client(byte c)
{
	bool refused, looked, null;
	mtype:dl found = NONE;

	do
	:: lock(locked[c]);
		if :: status[c] == NO_DRIVER -> probe(c) :: else fi;
progress_bind:	unlock(locked[c])
	:: release_driver(c);
progress_unbind: skip
#ifdef DEFERRED
	:: atomic { !locked[c] && status[c] == NO_DRIVER -> status[c] = PROBING };
		dma_request_chan(c);				/* on its behalf */
		break
#endif
	:: break
	od
}

proctype opener(byte c)		/* open() and close() */
{
	bool refused, looked, null;
	mtype:dl found = NONE;

	do
	:: lock(port[c]);
		if
		:: opened[c] && !held[c] && may_request(c) -> dma_request_chan(c)
		:: opened[c] && held[c] -> held[c] = false
		:: else
		fi;
progress:	unlock(port[c])
	:: break
	od
}

/* drivers/base, for the controller */

inline mark(c)		{ link[c] = (link[c] == NONE -> NONE : SUPPLIER_UNBIND) }
inline mark_active(c)	{ link[c] = (AS_IN_7_3 -> SUPPLIER_UNBIND : ACTIVE) }

inline device_links_busy()	/* the links marked before a busy one make no difference */
{
	d_step {
		again = busy(0) || busy(1);
		if :: !again -> mark(0); mark(1) :: else fi;
		status[CTRL] = UNBINDING
	}
}

inline device_links_unbind_consumers()	/* here, it sleeps while a client probes */
{
	do
	:: atomic { link[0] == ACTIVE -> mark_active(0) }; release_driver(0)
	:: atomic { link[1] == ACTIVE -> mark_active(1) }; release_driver(1)
	:: atomic { !busy(0) && !busy(1) -> mark(0); mark(1); break }
	od
}

inline cleanup(c)		/* of device_links_driver_cleanup() */
{
	WARN_ON(c, link[c] != NONE);
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
		remove_controller();
		d_step { cleanup(0); cleanup(1); status[CTRL] = NO_DRIVER };
		break
	od
}

inline supplier_bound(c)	/* of device_links_driver_bound() */
{
	WARN_ON(c, link[c] == AVAILABLE || link[c] == SUPPLIER_UNBIND);
	link[c] = (link[c] == NONE || busy(c) -> link[c] : AVAILABLE)
}

inline bind_controller()	/* really_probe() */
{
	status[CTRL] = PROBING;
	gone = false;
	listed = true;
	if
	:: d_step { supplier_bound(0); supplier_bound(1); status[CTRL] = BOUND }
	:: true ->						/* or it fails afterwards */
		remove_controller();
		d_step {					/* device_links_no_driver() */
			link[0] = (busy(0) -> DORMANT : link[0]);
			link[1] = (busy(1) -> DORMANT : link[1]);
			status[CTRL] = NO_DRIVER
		}
	fi
}

proctype controller()
{
	bool again, refused, looked, null;
	mtype:dl found = NONE;

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
		run opener(1);
#endif
#if UNBINDERS == 2
		run controller();
#endif
		run controller()
	}
}
