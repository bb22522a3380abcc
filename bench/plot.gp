# What scripts/bench measured, one plot a question. Called in docs/cost/.
set datafile separator ","
set logscale xy 2
set format x "%.0f"
set format y "%.0f"
set grid
set key left top
set terminal svg size 1000,420 noenhanced font "sans,11"

row(what, links, name) = sprintf("< awk -F, '$1 == \"%s\" && $3 == \"%s\"' %s.csv", what, links, name)
unit(name) = strstrt(name, "instructions") ? "instructions" : "nanoseconds"

# Time on the left, instructions on the right: those do not depend on the machine.
do for [what in "channels consumers children"] {
	set output what . ".svg"
	set multiplot layout 1,2
	do for [name in "um x86_64-instructions"] {
		set title what . ", " . name
		set xlabel what eq "children" ? "children of the consumer" : what . " in use"
		set ylabel unit(name) . " a call"
		if (what eq "children") {
			plot for [links in "off on"] row(what . "-get", links, name) using 4:5:6:7 \
				with yerrorlines title "request, links " . links
		} else {
			plot for [links in "off on"] row(what . "-get", links, name) using 4:5:6:7 \
				with yerrorlines title "request, links " . links, \
				for [links in "off on"] row(what . "-put", links, name) using 4:5:6:7 \
				with yerrorlines title "release, links " . links
		}
	}
	unset multiplot
}

set output "unbind.svg"
set multiplot layout 1,2
do for [name in "um x86_64-instructions"] {
	set title "unbind of a controller, " . name
	set xlabel "consumers"
	set ylabel unit(name)
	plot for [links in "off on"] row("unbind", links, name) using 4:5:6:7 with yerrorlines \
		title links eq "on" ? "by the links" : "consumers one by one, no links"
}
unset multiplot
