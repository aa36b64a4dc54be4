package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// wholeLimit is how long all may take until they know each other.
const wholeLimit = 3 * time.Minute

// runAll measures all systems at all sizes.
func runAll(ctx context.Context, cfg config, report *Report) error {
	for i, n := range cfg.Hosts {
		if err := runSize(ctx, cfg, n, report, cfg.Spacing && i == 0); err != nil {
			return fmt.Errorf("%d hosts: %w", n, err)
		}
	}
	return nil
}

func runSize(ctx context.Context, cfg config, n int, report *Report, spacing bool) (err error) {
	r, err := newRig(n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	cfg.Log("%d hosts: the estate stands", n)
	sleep(ctx, 5*time.Second) // the kernel has work left from making it
	for _, name := range cfg.Systems {
		result := &Result{System: name, Hosts: n}
		report.Results = append(report.Results, result)
		if err := runSystem(ctx, cfg, r, result); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if spacing && slices.Contains(cfg.Systems, cassiniStandard) {
		return runSpacing(ctx, cfg, r, report)
	}
	return nil
}

func runSystem(ctx context.Context, cfg config, r *rig, result *Result) error {
	calm(ctx, cfg)
	without, err := busy(ctx, min(cfg.Span, 24*time.Second))
	if err != nil {
		return err
	}
	result.Without = without
	s, err := newSystem(result.System, cfg, r)
	if err != nil {
		return err
	}
	defer s.close()
	begin := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := until(ctx, wholeLimit, 250*time.Millisecond, s.whole); err != nil {
		return err
	}
	result.Whole = time.Since(begin).Seconds()
	cfg.Log("%s with %d hosts: whole after %.1fs", result.System, result.Hosts, result.Whole)
	sleep(ctx, 5*time.Second)
	for i, loss := range cfg.Losses {
		ends := i == 0 || i == len(cfg.Losses)-1
		if err := runLoss(ctx, cfg, r, s, result, loss, ends); err != nil {
			return fmt.Errorf("with %v%% lost: %w", loss, err)
		}
	}
	return runFrozen(ctx, cfg, r, s, result)
}

// runLoss measures the load, and crashes some if asked to.
func runLoss(ctx context.Context, cfg config, r *rig, s system, result *Result, loss float64, crash bool) error {
	if err := r.setLoss(loss); err != nil {
		return err
	}
	sleep(ctx, 3*time.Second)
	calm(ctx, cfg)
	load, err := measureLoad(ctx, s, r.hosts, cfg.Span, result.Without)
	if err != nil {
		return err
	}
	load.Loss = loss
	result.Loads = append(result.Loads, load)
	cfg.Log("%s with %d hosts: %+v", result.System, result.Hosts, load)
	if !crash || cfg.Crashes == 0 {
		return nil
	}
	calm(ctx, cfg)
	c, err := crashes(ctx, cfg, r, s)
	if err != nil {
		return err
	}
	c.Loss = loss
	result.Crashes = append(result.Crashes, c)
	cfg.Log("%s with %d hosts: %+v", result.System, result.Hosts, c)
	return settle(ctx, cfg, s, result)
}

// settle waits until all know each other again. That they do not is told and no error.
func settle(ctx context.Context, cfg config, s system, result *Result) error {
	err := until(ctx, 40*time.Second, 250*time.Millisecond, s.whole)
	if errors.Is(err, errTimeout) {
		result.Notes = append(result.Notes, "after faults: "+err.Error())
		cfg.Log("%s: not whole: %v", result.System, err)
		return nil
	}
	return err
}

func runFrozen(ctx context.Context, cfg config, r *rig, s system, result *Result) error {
	if err := r.setLoss(0); err != nil || cfg.Frozen == 0 {
		return err
	}
	if err := settle(ctx, cfg, s, result); err != nil {
		return err
	}
	sleep(ctx, 3*time.Second)
	calm(ctx, cfg)
	f, err := freeze(ctx, cfg, r, s)
	if err != nil {
		return err
	}
	result.Frozen = &f
	cfg.Log("%s with %d hosts: %+v", result.System, result.Hosts, f)
	return nil
}

// runSpacing looks at Cassini's heartbeats when the machine is quiet and when both cores
// are busy, then again with agents whose memory is collected at each twentieth of growth.
func runSpacing(ctx context.Context, cfg config, r *rig, report *Report) error {
	for _, percent := range []string{"", "5"} {
		if err := spacingWith(ctx, cfg, r, report, percent); err != nil {
			return fmt.Errorf("spacing: %w", err)
		}
	}
	return nil
}

func spacingWith(ctx context.Context, cfg config, r *rig, report *Report, percent string) error {
	name := ""
	if percent != "" {
		os.Setenv("GOGC", percent)
		defer os.Unsetenv("GOGC")
		name = ", GOGC=" + percent
	}
	s, err := newSystem(cassiniStandard, cfg, r)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := until(ctx, wholeLimit, 250*time.Millisecond, s.whole); err != nil {
		return err
	}
	sleep(ctx, 5*time.Second)
	for _, n := range []int{0, runtime.NumCPU()} {
		calm(ctx, cfg)
		stop, err := keepBusy(n)
		if err != nil {
			return err
		}
		one, err := measureSpacing(ctx, r, s, fmt.Sprintf("%d busy loops%s", n, name), cfg.Span)
		stop()
		if err != nil {
			return err
		}
		report.Spacing = append(report.Spacing, one)
		cfg.Log("spacing: %+v", one)
	}
	return nil
}
