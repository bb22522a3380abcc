# SPDX-License-Identifier: GPL-2.0
#
# The rows of a table of docs/cost.md, with tabs, from a file that scripts/bench has written:
#
#	awk -v table=targets|power|calls|growth|memory -v where=NAME -f bench/tables.awk NAME.csv
#
# A line of it is WHAT,WHO,LINKS,N,MEDIAN,P10,P90,SAMPLES, or, of the memory that N objects
# more have taken, "memory CACHE",WHO,LINKS,N,BYTES,SIZE, with the size of one object there.
BEGIN { FS = ","; OFS = "\t" }
/^# .*instructions/ { counted = 1 }
{ median[$1, $2, $3, $4] = $5 }
!(($1, $3) in min) || $5 < min[$1, $3] { min[$1, $3] = $5 }
$5 > max[$1, $3] { max[$1, $3] = $5 }

function of(what, who, links, n) {
	n = n ? n : 1
	if ((what, who, links, n) in median) return median[what, who, links, n]
	print "error: " FILENAME " has no " what "," who "," links "," n >"/dev/stderr"
	exit 1
}

function both(which, who, links) { return of(which "-get", who, links) + of(which "-put", who, links) }
function met(text, is_met) { return text ": " (is_met ? "met" : "**missed**") }

function verdict(value, target) {
	if (value <= target) return value " of " target ": met"
	return sprintf("%d of %d: **missed** by %.0f %%", value, target, (value / target - 1) * 100)
}

# The growth of the calls with links: not more than this from the least to the most.
function flat(what,	percent) {
	percent = int((max[what, "on"] / min[what, "on"] - 1) * 100 + .5)
	return met(percent " %", percent <= 20)
}

# What comes on top of one, from 32 to 1024, as a power of n.
function exponent(what, links,	one, more, n, k, x, y, sx, sy, sxx, sxy) {
	# The time of a task is not measured everywhere.
	if (!((what, "dma", links, 1) in median)) return "-"
	one = of(what, "dma", links)
	more = of(what, "dma", links, 1024)
	if (more < 1.1 * one) return sprintf("flat, %+.0f %%", (more / one - 1) * 100)
	for (k = 32; k <= 1024; k *= 2) {
		if (of(what, "dma", links, k) <= one) continue
		x = log(k); y = log(of(what, "dma", links, k) - one)
		n++; sx += x; sy += y; sxx += x * x; sxy += x * y
	}
	return n > 2 ? sprintf("%.2f", (n * sxy - sx * sy) / (n * sxx - sx * sx)) : "-"
}

function linear(what,	e) {
	e = exponent(what, "on")
	return e == "-" ? e : met(e, e ~ /^flat/ || e + 0 <= 1.1)
}

function targets(	get_put, put) {
	get_put = both("further", "phy", "on")
	put = of("further-put", "phy", "on")
	print "a further request and release, of a further `phy_get()` and `phy_put()`",
		verdict(both("further", "dma", "on"), get_put)
	print "the first request and release, of twice the first `phy_get()` and `phy_put()`",
		verdict(both("first", "dma", "on"), 2 * both("first", "phy", "on"))
	print "a release, of a `phy_put()`", verdict(of("further-put", "dma", "on"), put)
	print "a request is flat from 1 to 1024 channels, within 20 %", flat("channels-get")
	print "a release is", flat("channels-put")
	print "a request grows at most linearly with the clients, exponent", linear("consumers-get")
	print "the unbind does", linear("unbind")
	print "and the CPU time of the task that unbinds", linear("unbind-own-cpu")
	print "*beside the targets:* what links add to a further request and release, of the same",
		verdict(both("further", "dma", "on") - both("further", "dma", "off"), get_put)
	print "*beside the targets:* what links add to a release, of the same",
		verdict(of("further-put", "dma", "on") - of("further-put", "dma", "off"), put)
}

# The target of the first is in instructions, that of the second in ns. The clock itself counts in both.
function power(	more, all) {
	more = of("power-on", "dma", "on") - of("power-on-pm", "dma", "on")
	all = of("power-on", "dma", "on") - of("further-get", "nothing", "on")
	print "prepare and unprepare a channel that is on: more than runtime PM of the same device, at most 40 instructions",
		counted ? met(more, more <= 40) : more
	print "all of it, at most 100 ns", counted ? all : verdict(all, 100)
	print "turn a channel on and off, of 1.1 times the same of a device, callbacks that do nothing",
		verdict(of("power-off", "dma", "on"), int(of("power-off-pm", "dma", "on") * 1.1))
	print "request and release, without and with `chan_runtime_pm`",
		of("power-request", "dma", "off") ", " of("power-request", "dma", "on")
}

table == "calls" && /^(first|further)-/ {
	row = row OFS $5 " (" $6 "–" $7 ")"
	if ($1 == "further-put") {
		print where, $2, $3 row
		row = ""
	}
}

table == "growth" && !/^memory/ && $4 == 1024 {
	one = of($1, $2, $3)
	print where, $1, $3, one, of($1, $2, $3, 32), of($1, $2, $3, 256), $5,
		sprintf("%.1f", ($5 - one) / 1023), exponent($1, $3)
}

# All bytes, and in which caches; in brackets objects.
table == "memory" && /^memory/ {
	key = where OFS $2 OFS $3
	if (!(key in sum)) order[++rows] = key
	sum[key] += $5 / $4
	caches[key] = caches[key] (caches[key] ? ", " : "") substr($1, 8) sprintf(" %.0f (%.1f)", $5 / $4, $5 / $4 / $6)
}

END {
	if (table == "targets") targets()
	if (table == "power") power()
	for (i = 1; i <= rows; i++)
		print order[i], sprintf("%.0f", sum[order[i]]), caches[order[i]]
}
