# SPDX-License-Identifier: GPL-2.0
#
# What scripts/bench measured, one plot a question, of the one or two machines that
# it names: time on the left, instructions on the right. Called in docs/cost/.
set datafile separator ","
set logscale x 2
set logscale y 10
set format x "%.0f"
set format y "%.0s%c"
set xrange [0.9:1200]
set grid lc rgb "#dddddd"
set key below center samplen 2
set bmargin 8
set terminal svg size 550*words(machines),500 noenhanced font "sans,12" background rgb "white"
set linetype 1 lc rgb "#1f77b4" pt 7 ps 0.5
set linetype 2 lc rgb "#d62728" pt 7 ps 0.5
set linetype 3 lc rgb "#1f77b4" pt 6 ps 0.7 dt 2
set linetype 4 lc rgb "#d62728" pt 6 ps 0.7 dt 2

row(what, links, name) = sprintf("< grep '^%s,dma,%s,' %s.csv", what, links, name)
unit(name) = strstrt(name, "instructions") ? "instructions" : "nanoseconds"

# In each: WHAT-A and WHAT-B, with links and without.
do for [plot in "channels:get:put:request:release:channels_held_by_the_consumer:a_call consumers:get:put:request:release:consumers_of_the_controller:a_call children:first-get:further-get:first_request:further_request:children_of_the_consumer:a_call"] {
	field(n) = system(sprintf("echo '%s' | cut -d: -f%d | tr _ ' '", plot, n))
	what = field(1)
	set output what . ".svg"
	set multiplot layout 1,words(machines)
	do for [name in machines] {
		set title name
		set xlabel field(6)
		set ylabel unit(name) . " " . field(7)
		a = what . "-" . field(2)
		b = what . "-" . field(3)
		plot row(a, "off", name) using 4:5:6:7 with yerrorlines lt 1 title field(4) . ", no links", \
			row(a, "on", name) using 4:5:6:7 with yerrorlines lt 2 title field(4) . ", links", \
			row(b, "off", name) using 4:5:6:7 with yerrorlines lt 3 title field(5) . ", no links", \
			row(b, "on", name) using 4:5:6:7 with yerrorlines lt 4 title field(5) . ", links"
	}
	unset multiplot
}

set output "unbind.svg"
set multiplot layout 1,words(machines)
do for [name in machines] {
	set title name
	set xlabel "consumers of the controller"
	set ylabel unit(name) . " until all are unbound"
	plot row("unbind", "off", name) using 4:5:6:7 with yerrorlines lt 1 title "one by one, no links", \
		row("unbind", "on", name) using 4:5:6:7 with yerrorlines lt 2 title "by the links", \
		row("unbind-own-cpu", "on", name) using 4:5:6:7 with yerrorlines lt 4 title "by the links, the CPU time of the task"
}
unset multiplot
