package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"cassini/agent/enroll"
	"cassini/agent/srv"
	"cassini/cmd/cassini/internal/config"
)

// joiner is 'cassini join'.
type joiner struct {
	*system
	manager, token, pin, dataDir string
}

func newJoin(sys *system) *cobra.Command {
	j := &joiner{system: sys}
	cmd := &cobra.Command{
		Use:   "join",
		Short: "Let this host join a manager: get a certificate by a token",
		Long: "Let this host join a manager: get a certificate by a token, with which 'cassini agent\n" +
			"--manager URL' then shows who it is, and which it renews in time. The token holds the\n" +
			"hash of the manager's authority: nothing is sent to another.",
		Example: "  cassini join --manager https://manager.example:1984 --token cassini_agent_...",
		Args:    noArgs,
		GroupID: groupServe,
	}
	flags := cmd.Flags()
	flags.StringVar(&j.manager, "manager", "", "`URL` of the manager, https; or srv:DOMAIN: DNS says where it is, by SRV records of _cassini._tcp.DOMAIN, and for srv:local multicast DNS")
	flags.StringVar(&j.token, "token", "", "`token` that 'cassini token create --role agent' printed; others see command lines: CASSINI_TOKEN is not seen")
	flags.StringVar(&j.pin, "ca-hash", "", "`hash` of the manager's authority, sha256:..., which must be that in the token")
	flags.StringVar(&j.dataDir, "data-dir", defaultDataDir, "`directory` for the certificate: that of the agent")
	config.Mark(flags, "manager", "token", "data-dir")
	config.Secret(flags, "token")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := settle(cmd, sys); err != nil {
			return err
		}
		return j.run(cmd.Context())
	}
	return cmd
}

func (j *joiner) run(ctx context.Context) error {
	_, byDNS, err := srv.Domain(j.manager)
	if err != nil {
		return asUsage("--manager/CASSINI_MANAGER", j.manager, err)
	}
	if !byDNS && !isHTTPS(j.manager) {
		return usagef("--manager/CASSINI_MANAGER %q: want a URL such as https://manager.example:1984, or srv:example.org to ask DNS", j.manager)
	}
	if j.token == "" {
		return usagef("--token/CASSINI_TOKEN is missing: 'cassini token create --role agent' on the manager makes one")
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("read the host name: %w", err)
	}
	if err := prepareDataDir(j.dataDir); err != nil {
		return err
	}
	way := wayBy(newFinder(j.manager, j.resolver, newLogger(j.stderr, slog.LevelWarn, "text")))
	id, err := enroll.Join(ctx, enroll.Request{Manager: j.manager, Way: way, Token: j.token, Pin: j.pin, Host: host, Machine: ownMachine(newLogger(j.stderr, slog.LevelWarn, "text")), Dir: j.dataDir})
	if err != nil {
		return err
	}
	fmt.Fprintf(j.stdout, "%s joined; its certificate is good until %s and renewed by the agent: cassini agent --manager %s\n",
		id.Host, j.moment(id.Cert.Leaf.NotAfter), j.manager)
	if id.Host != host {
		fmt.Fprintf(j.stdout, "%s is what the manager calls this host, since another machine that joined before has the name %s.\n"+
			"Better give this one a name of its own (hostnamectl set-hostname NAME) and let it join again. If it is to take the\n"+
			"place of the other one, join by a token for that name: cassini token create --role agent --host %s\n", id.Host, host, host)
	}
	return nil
}
