// Command simulate runs the state machines of rings on virtual time, and prints figures:
//
//	simulate scale 1000 10000 100000 1000000
//	simulate years -loss 0.05 1000
//	simulate month
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"cassini/tools/simulator"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("want: simulate scale HOSTS... or simulate years [-loss SHARE] HOST-YEARS, or simulate month")

func run(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	seed := flags.Uint64("seed", 1, "of all that is random")
	loss := flags.Float64("loss", 0.05, "share of datagrams that are lost (years)")
	perZone := flags.Int("zone", 48, "hosts on a switch (scale)")
	crashes := flags.Int("crashes", 10, "hosts that crash, one a second (scale)")
	rate := flags.Float64("joins", 12_000, "joins that the manager takes a second (scale)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "scale":
		return scale(flags.Args(), *seed, *perZone, *crashes, *rate)
	case "month":
		return month(*seed)
	case "years":
		return years(flags.Args(), *seed, *loss)
	}
	return errUsage
}

// month also lives through its first week alone, since what members keep without the
// manager is known at the end only.
func month(seed uint64) error {
	first := simulator.RunMonth(seed, 16, 1)
	weeks := simulator.RunMonth(seed, 16, 4)
	for i, w := range weeks {
		fmt.Printf("week %d: %.2f MiB of heap, %d crashes and starts\n", i+1, float64(w.Heap)/(1<<20), w.Incident)
	}
	fmt.Printf("of that the members: %.2f MiB after one week, %.2f MiB after four\n",
		float64(first[0].Members)/(1<<20), float64(weeks[3].Members)/(1<<20))
	return nil
}

func scale(sizes []string, seed uint64, perZone, crashes int, rate float64) error {
	fmt.Println("| hosts | rings | boot | datagrams a second and host | heartbeats inside a switch | manager's datagrams a crash | detection median, maximum | deaths lost | stale instructions refused |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, size := range sizes {
		hosts, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		r, err := simulator.RunScale(seed, hosts, perZone, crashes, rate)
		if err != nil {
			return err
		}
		median, most := time.Duration(0), time.Duration(0)
		if n := len(r.Detection); n > 0 {
			median, most = r.Detection[n/2], r.Detection[n-1]
		}
		fmt.Printf("| %d | %d | %v | %.3f | %.2f%% | %.1f | %.2f s, %.2f s | %d | %d |\n",
			r.Hosts, r.Rings, r.Boot, r.PacketsPerHost, 100*r.Inside, r.ManagerPerCrash, median.Seconds(), most.Seconds(), r.Lost, r.Refused)
	}
	return nil
}

// years runs a half on each of two threads.
func years(args []string, seed uint64, loss float64) error {
	if len(args) != 1 {
		return errUsage
	}
	n, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	var halves [2]simulator.Years
	var both sync.WaitGroup
	for i := range halves {
		both.Go(func() { halves[i] = simulator.RunYears(seed+uint64(i), n/2, loss) })
	}
	both.Wait()
	sum := halves[0]
	sum.HostYears += halves[1].HostYears
	sum.Suspicions += halves[1].Suspicions
	sum.FalseDeaths += halves[1].FalseDeaths
	for kind, n := range halves[1].Verdicts {
		sum.Verdicts[kind] += n
	}
	fmt.Printf("%.0f host-years at %.0f%% loss: %d silences opened a case, verdicts %v, false deaths %d: below %.2g a host-year (95%%)\n",
		sum.HostYears, 100*loss, sum.Suspicions, sum.Verdicts, sum.FalseDeaths, sum.UpperBound())
	return nil
}
