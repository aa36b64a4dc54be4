package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/demo"
	"cassini/cmd/cassini/internal/output"
)

func newDemo(sys *system) *cobra.Command {
	cfg := demo.Config{}
	var profile *enum
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Build a small estate on this machine, and let you kill things in it",
		Long: "Build a small estate of hosts and switches in network namespaces on this machine, run an agent\n" +
			"on each host and a manager, and take commands: crash a host, freeze an agent, cut a cable,\n" +
			"switch off a switch, and see what Cassini makes of it. Everything is taken away at the end.\n" +
			"The agents are on rings and discover nothing: all hosts share this machine's kernel.",
		Example: "  cassini demo\n  printf 'crash s1-h2\\nwait 8s\\nincidents\\n' | cassini demo",
		GroupID: groupServe,
		Args:    noArgs,
	}
	cmd.Flags().IntVar(&cfg.Switches, "switches", 2, "`number` of switches")
	cmd.Flags().IntVar(&cfg.Hosts, "hosts", 4, "`number` of hosts on each switch")
	cmd.Flags().StringVar(&cfg.Listen, "listen", "127.0.0.1:1986", "`HOST:PORT` at which the demo's manager can be asked")
	profile = addEnum(cmd, "heartbeat-profile", "", "how fast a death is told", profileStandard, profileFast)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if os.Geteuid() != 0 {
			return errors.New("network namespaces need root; run as root")
		}
		if err := checkListen(cfg.Listen, false); err != nil {
			return err
		}
		if cfg.Binary, err = os.Executable(); err != nil {
			return fmt.Errorf("find the program to run on the hosts: %w", err)
		}
		if cfg.Dir, err = os.MkdirTemp("", "cassini-demo-"); err != nil {
			return fmt.Errorf("make a directory for the demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
		cfg.Profile, cfg.In, cfg.Out = profile.value, os.Stdin, sys.stdout
		cfg.Prompt = output.Detect(sys.stdout, sys.getenv).Width > 0
		return demo.Run(cmd.Context(), cfg)
	}
	return cmd
}
