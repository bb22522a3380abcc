# SPDX-License-Identifier: GPL-2.0
#
# When the domain of each channel was on, a plot a workload: stock above, the stack
# below. Called by scripts/lab-power with spans, workloads, names and out.
set terminal svg size 850,270*words(workloads) noenhanced font "sans,12" background rgb "white"
set output out
set multiplot layout words(workloads),1
set xrange [0:30]
set yrange [-0.6:6.6]
set xlabel "seconds"
set grid x lc rgb "#dddddd"
set key above samplen 2
row(kernel) = sprintf("< grep '^%s-%s ' %s", workload, kernel, spans)
do for [workload in workloads] {
	set title workload
	unset ytics
	set ytics ("" 0)
	do for [i = 1:words(names)] {
		set ytics add (word(names, i) 7 - i, word(names, i) 3 - i)
	}
	plot row("stock") using 2:(6 - $4):3:(0) with vectors nohead lw 12 lc rgb "#d62728" title "stock", \
		row("stack") using 2:(2 - $4):3:(0) with vectors nohead lw 12 lc rgb "#1f77b4" title "stack"
}
unset multiplot
