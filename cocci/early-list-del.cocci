// Find drivers that take the channels off the list of a dma_device too early.
//
// dma_async_device_unregister() walks dma_device->channels to unregister the
// class device of each channel. If the driver takes the channels off that list
// before, most often along with tasklet_kill(), the walk finds nothing: the
// class devices stay in sysfs and point to freed memory, and the next bind
// fails with -EEXIST. If the dma_device was registered by
// dmaenginem_async_device_register(), it is unregistered after .remove, so any
// list_del() in the driver is too early.
//
// Usage: spatch --very-quiet -D report --no-includes \
//               --sp-file early-list-del.cocci --dir drivers/dma
//
// Rules: (1) list_del() and unregistration in one function;
//        (2) list_del() in a helper, which is called before the unregistration;
//        (3) list_del() in a file that has a managed registration;
//        (4) list_del() in a file that has no registration, thus a helper of
//            other files: look at its callers.
//
// What it does not see: a list_del() that goes by another name than
// ->device_node; a helper of a helper; which of several dma_devices it is
// about. A list_del() on the error path of probe, for a dma_device that was
// not registered, is harmless, and may be reported by (3).

virtual report

@same exists@
identifier f;
expression E;
position p;
@@
f(...)
{
 ... when any
 list_del@p(&E.device_node)
 ... when any
 dma_async_device_unregister(...)
 ... when any
}

@same_ptr exists@
identifier f;
expression E;
position p;
@@
f(...)
{
 ... when any
 list_del@p(&E->device_node)
 ... when any
 dma_async_device_unregister(...)
 ... when any
}

@script:python depends on report@
p << same.p;
f << same.f;
@@
print("%s:%s: %s(): list_del() before dma_async_device_unregister()" % (p[0].file, p[0].line, f))

@script:python depends on report@
p << same_ptr.p;
f << same_ptr.f;
@@
print("%s:%s: %s(): list_del() before dma_async_device_unregister()" % (p[0].file, p[0].line, f))

@helper@
identifier h;
expression E;
position p;
@@
h(...)
{
 <+...
(
 list_del@p(&E.device_node)
|
 list_del@p(&E->device_node)
)
 ...+>
}

@caller exists@
identifier helper.h;
identifier f;
position q;
@@
f(...)
{
 ... when any
 h@q(...)
 ... when any
 dma_async_device_unregister(...)
 ... when any
}

@script:python depends on report@
q << caller.q;
h << helper.h;
f << caller.f;
@@
print("%s:%s: %s(): %s(), which has a list_del(), before dma_async_device_unregister()" % (q[0].file, q[0].line, f, h))

@managed@
@@
 dmaenginem_async_device_register(...)

@script:python depends on report && managed@
p << helper.p;
h << helper.h;
@@
print("%s:%s: %s(): list_del(), while the registration is managed" % (p[0].file, p[0].line, h))

@plain@
@@
 dma_async_device_register(...)

@script:python depends on report && !managed && !plain@
p << helper.p;
h << helper.h;
@@
print("%s:%s: %s(): list_del() in a helper, see its callers" % (p[0].file, p[0].line, h))
