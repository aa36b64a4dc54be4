package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/netbox"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/manager/wiring"
	"cassini/model"
)

// netboxTimeout is how long NetBox may take for one page.
const netboxTimeout = time.Minute

// netboxFlags say where NetBox is, and what of it counts.
type netboxFlags struct {
	url, tokenFile, host string
	filters              []string
	at                   *atFlag
}

// netboxAnswer is what differs.
type netboxAnswer struct {
	Differences []netbox.Difference `json:"differences"`
	Cables      []model.CableCheck  `json:"cables"` // that are not as in NetBox
}

func newNetBox(sys *system) *cobra.Command {
	f := &netboxFlags{}
	cmd := &cobra.Command{
		Use:   "netbox --netbox-url URL",
		Short: "Hold NetBox against what is there: machines, interfaces, addresses, cables",
		Long: "Hold NetBox against what is there: hosts, their network cards, bonds and VLANs with hardware\n" +
			"addresses, MTUs and states, their IP addresses, and the cables that LLDP and CDP tell. Nothing\n" +
			"is ever written to NetBox: a token that may only read will do (devices, virtual machines,\n" +
			"interfaces, IP addresses).\n\n" +
			"Machines go by their name, with or without domain. --filter takes what NetBox's lists of\n" +
			"devices and of virtual machines take. The exit code is 0 if nothing differs, and 1 otherwise.",
		Example: "  cassini netbox --netbox-url https://netbox.example.com --netbox-token-file netbox.token\n  cassini netbox --filter site=ams1 --filter role=server\n  cassini netbox --host web-17 -o json",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&f.url, "netbox-url", "", "`URL` of NetBox")
	cmd.Flags().StringVar(&f.tokenFile, "netbox-token-file", "", "`file` with a token of NetBox")
	cmd.Flags().StringArrayVar(&f.filters, "filter", nil, "only machines that NetBox finds by this `parameter=value`; can be given several times")
	cmd.Flags().StringVar(&f.host, "host", "", "only this `host`")
	config.Mark(cmd.Flags(), "netbox-url", "netbox-token-file")
	f.at = addAt(cmd, sys)
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		n, filter, err := f.settle()
		if err != nil {
			return err
		}
		defer n.HTTP.CloseIdleConnections()
		return a.netbox(ctx, c, f, n, filter)
	})
	return cmd
}

// settle makes the flags to a client.
func (f *netboxFlags) settle() (*netbox.Client, url.Values, error) {
	if f.url == "" {
		return nil, nil, usagef("want --netbox-url URL (or CASSINI_NETBOX_URL)")
	}
	at, err := url.Parse(f.url)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, nil, usagef("--netbox-url %q: want a URL such as https://netbox.example.com", f.url)
	}
	n := &netbox.Client{URL: at, HTTP: &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		Timeout:       netboxTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token is for one NetBox
	}}
	if f.tokenFile != "" {
		token, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return nil, nil, usagef("--netbox-token-file: %w", err)
		}
		n.Token = strings.TrimSpace(string(token))
	}
	filter := url.Values{}
	for _, one := range f.filters {
		key, value, ok := strings.Cut(one, "=")
		if !ok || key == "" {
			return nil, nil, usagef("--filter %q: want parameter=value, such as site=ams1", one)
		}
		filter.Add(key, value)
	}
	return n, filter, nil
}

// netbox shows what differs, and fails silently if something does.
func (a *asker) netbox(ctx context.Context, c *client.Client, f *netboxFlags, n *netbox.Client, filter url.Values) error {
	inventory, err := n.Read(ctx, filter)
	if err != nil {
		return err
	}
	answer, err := compareNetBox(ctx, c, f, inventory)
	if err != nil {
		return err
	}
	if a.format.value == formatJSON {
		err = output.JSON(a.stdout, answer)
	} else {
		fmt.Fprintln(a.stdout, view.NetBoxTitle(len(inventory.Machines), answer.Differences, answer.Cables))
		if table := view.NetBox(answer.Differences, answer.Cables); table.Len() > 0 {
			err = table.Write(a.stdout, a.terminal())
		}
	}
	if err == nil && len(answer.Differences)+len(answer.Cables) > 0 {
		return errSilent
	}
	return err
}

// compareNetBox asks Cassini for what NetBox should have, and lets the manager compare
// cables: it knows all names of a switch and its ports.
func compareNetBox(ctx context.Context, c *client.Client, f *netboxFlags, inventory *netbox.Inventory) (answer netboxAnswer, err error) {
	at := func() client.Query { return client.Query{}.At(f.at.Time) }
	hosts, err := c.Nodes(ctx, at().With("kind", model.KindHost))
	if err != nil {
		return answer, err
	}
	interfaces, err := c.Interfaces(ctx, at())
	if err != nil {
		return answer, err
	}
	switches, err := c.Switches(ctx, at())
	if err != nil {
		return answer, err
	}
	var names, neighbors []string
	for _, h := range hosts {
		if name := strings.TrimPrefix(h.ID, model.HostID("")); f.host == "" || f.host == name {
			names = append(names, name)
		} else {
			neighbors = append(neighbors, name) // it is there, and not asked for
		}
	}
	if f.host != "" && len(names) == 0 {
		return answer, fmt.Errorf("no agent reports from a host %s; 'cassini hosts' lists those that have one", f.host)
	}
	for _, s := range switches {
		neighbors = append(neighbors, s.Name)
	}
	answer.Differences = netbox.Compare(inventory, names, interfaces, neighbors, f.host)
	cabling, err := c.Wiring(ctx, wiring.WriteCSV(inventory.Cables(names)), "text/csv", at().With("partial", "true").With("host", f.host))
	if err != nil {
		return answer, err
	}
	answer.Cables = slices.DeleteFunc(cabling.Cables, func(x model.CableCheck) bool { return x.State == model.CableRight })
	return answer, nil
}
