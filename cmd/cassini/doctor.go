package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newDoctor(sys *system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Show which hook of this kernel serves which fact, and what is lost",
		Long: "Show which hook of this kernel serves which fact, what the hook in use does not\n" +
			"tell, and why a better one is not in use. The kernel is probed here where that is\n" +
			"permitted; else the running Cassini is asked. Fails when a fact is not served.",
		Args: noArgs,
	}
	var a *asker
	remote := false
	cmd.PreRun = func(cmd *cobra.Command, _ []string) { remote = cmd.Flags().Changed("api") } // on the command line itself
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		hooks, from, err := a.diagnose(ctx, c, remote)
		if err != nil {
			return err
		}
		if err := a.showHooks(hooks, from); err != nil {
			return err
		}
		return unserved(hooks)
	})
	return cmd
}

// diagnose probes this kernel, or asks the API: when --api names one, and when
// probing is not possible.
func (a *asker) diagnose(ctx context.Context, c *client.Client, remote bool) (hooks []model.Hook, from string, err error) {
	var local error
	if !remote {
		if hooks, local = a.probe(ctx); local == nil {
			return hooks, "As probed on this kernel:", nil
		}
	}
	status, err := c.Status(ctx)
	switch {
	case err != nil && local != nil:
		return nil, "", errors.Join(fmt.Errorf("probe this kernel: %w", local), err)
	case err != nil:
		return nil, "", err
	case status.Capture == nil && local != nil:
		return nil, "", fmt.Errorf("probe this kernel: %w; and the Cassini at %s runs no agent", local, a.api)
	case status.Capture == nil:
		return nil, "", fmt.Errorf("the Cassini at %s runs no agent; run 'cassini doctor' as root on the machine in question", a.api)
	}
	return status.Capture.Hooks, fmt.Sprintf("As the agent of %s (Cassini %s) tells:", output.Clean(status.Host), output.Clean(status.Version)), nil
}

func (a *asker) showHooks(hooks []model.Hook, from string) error {
	if a.format.value == formatJSON {
		return output.JSONArray(a.stdout, hooks)
	}
	fmt.Fprintf(a.stdout, "%s\n\n", from)
	return view.Hooks(hooks).Write(a.stdout, a.terminal())
}

// unserved fails when there is a fact that nothing serves.
func unserved(hooks []model.Hook) error {
	n := 0
	for _, h := range hooks {
		if h.Hook == "" {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%d of %d facts are not served by this kernel; the last column says why", n, len(hooks))
	}
	return nil
}
