package main

import (
	"context"
	"net/netip"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

func newServices(sys *system) *cobra.Command {
	var host, program string
	cmd := &cobra.Command{
		Use:     "services",
		Short:   "Show what listens, and the process behind it",
		Example: "  cassini services\n  cassini services --program nginx -o json\n  cassini services --proto packet\n  cassini services --at 1h",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&host, "host", "", "only services of this `host`")
	cmd.Flags().StringVar(&program, "program", "", "only services of this `program`, such as nginx")
	proto := addEnum(cmd, "proto", "", "only services of this protocol; packet and raw are sockets that hear what is meant for others", anyValue, "tcp", "udp", "sctp", model.ProtoUnix, model.ProtoPacket, model.ProtoRaw)
	state := addEnum(cmd, "state", "", "only services in this state", anyValue, model.StateListening, model.StateEnded)
	at := addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		services, err := c.Services(ctx, client.Query{}.With("host", host).With("program", program).With("proto", proto.value).With("state", state.value).At(at.Time))
		if err != nil {
			return err
		}
		if a.format.value == formatJSON {
			return output.JSONArray(a.stdout, withArguments(services))
		}
		return a.table(view.Services(services, sys.now()), "no services")
	})
	return cmd
}

// withArguments makes arrays of absent command lines and addresses: readers of
// JSON should not have to expect null.
func withArguments(services []model.Service) []model.Service {
	for i := range services {
		if services[i].Cmdline == nil {
			services[i].Cmdline = []string{}
		}
		if services[i].Addrs == nil {
			services[i].Addrs = []netip.Addr{}
		}
	}
	return services
}
