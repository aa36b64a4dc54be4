package netbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Limits on what is read.
const (
	pageSize   = 500       // objects; NetBox gives up to 1,000 unless it is told otherwise
	maxPage    = 64 << 20  // bytes
	maxObjects = 1_000_000 // of one kind
)

// ErrTooMany says that NetBox has more than is read.
var ErrTooMany = errors.New("NetBox has too many objects")

// Client reads from one NetBox. The zero value is of no use without URL. It is safe for
// concurrent use.
type Client struct {
	URL   *url.URL     // of NetBox, without /api/
	Token string       // "" where NetBox answers everybody
	HTTP  *http.Client // nil is http.DefaultClient
}

// Read reads the machines that filter selects (parameters of NetBox's lists of devices and
// virtual machines, such as site=ams1 or role=server), with their interfaces and addresses.
func (c *Client) Read(ctx context.Context, filter url.Values) (*Inventory, error) {
	r := reading{client: c, machines: make(map[machineID]*Machine), holders: make(map[netip.Addr]string)}
	lists := []struct {
		what, path string
		query      url.Values
		take       func(json.RawMessage) error
	}{
		{"devices", "dcim/devices/", with(filter, "exclude", "config_context"), r.machine(false)},
		{"virtual machines", "virtualization/virtual-machines/", with(filter, "exclude", "config_context"), r.machine(true)},
		{"interfaces of devices", "dcim/interfaces/", nil, r.iface},
		{"interfaces of virtual machines", "virtualization/interfaces/", nil, r.iface},
		{"addresses", "ipam/ip-addresses/", url.Values{"assigned_to_interface": {"true"}}, r.address},
	}
	for _, l := range lists {
		if err := c.list(ctx, l.path, l.query, l.take); err != nil {
			return nil, fmt.Errorf("read NetBox's %s: %w", l.what, err)
		}
	}
	v := &Inventory{Machines: slices.Collect(maps.Values(r.machines)), holders: r.holders}
	slices.SortFunc(v.Machines, func(a, b *Machine) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Status, b.Status))
	})
	return v, nil
}

func with(values url.Values, key, value string) url.Values {
	values = maps.Clone(values)
	if values == nil {
		values = url.Values{}
	}
	values.Set(key, value)
	return values
}

// list reads all pages of a list.
func (c *Client) list(ctx context.Context, path string, query url.Values, take func(json.RawMessage) error) error {
	read := 0
	for {
		query = with(with(query, "limit", strconv.Itoa(pageSize)), "offset", strconv.Itoa(read))
		var page struct {
			Next    string
			Results []json.RawMessage
		}
		if err := c.get(ctx, c.URL.JoinPath("api", path), query, &page); err != nil {
			return err
		}
		for _, one := range page.Results {
			if err := take(one); err != nil {
				return fmt.Errorf("decode NetBox's answer: %w", err)
			}
		}
		read += len(page.Results)
		if page.Next == "" || len(page.Results) == 0 {
			return nil
		}
		if read >= maxObjects {
			return fmt.Errorf("%w: more than %d", ErrTooMany, maxObjects)
		}
	}
}

func (c *Client) get(ctx context.Context, at *url.URL, query url.Values, answer any) error {
	full := *at
	full.Path = strings.TrimSuffix(full.Path, "/") + "/"
	full.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, full.String(), nil)
	if err != nil {
		return fmt.Errorf("ask NetBox: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", authorization(c.Token))
	}
	resp, err := cmp.Or(c.HTTP, http.DefaultClient).Do(req)
	if err != nil {
		return fmt.Errorf("ask NetBox: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return fmt.Errorf("read NetBox's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return refusal(resp, raw)
	}
	if len(raw) > maxPage {
		return fmt.Errorf("%w: a page of more than %d MiB", ErrTooMany, maxPage>>20)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("decode NetBox's answer: is %s NetBox? %w", c.URL, err)
	}
	return nil
}

// authorization is the header for a token: those of version 2 (NetBox 4.5) begin with nbt_.
func authorization(token string) string {
	if strings.HasPrefix(token, "nbt_") {
		return "Bearer " + token
	}
	return "Token " + token
}

func refusal(resp *http.Response, raw []byte) error {
	var problem struct{ Detail string }
	_ = json.Unmarshal(raw, &problem) // an answer without one still has its status
	err := fmt.Errorf("NetBox answers %s", resp.Status)
	if problem.Detail != "" {
		err = fmt.Errorf("%w: %s", err, problem.Detail)
	}
	if to := resp.Header.Get("Location"); to != "" {
		err = fmt.Errorf("%w: is it at %s?", err, to)
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		err = fmt.Errorf("%w: name a file with a token that may read devices, virtual machines, interfaces and IP addresses", err)
	}
	return err
}

// machineID tells devices from virtual machines, which are counted apart.
type machineID struct {
	virtual bool
	id      int64
}

// reading gathers lists into machines.
type reading struct {
	client   *Client
	machines map[machineID]*Machine
	holders  map[netip.Addr]string
}

// named is how NetBox shows one object within another.
type named struct {
	ID   int64
	Name string
}

func (r *reading) machine(virtual bool) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var m struct {
			named
			Status struct{ Value string }
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return err
		}
		if m.Name != "" { // devices need not have one
			r.machines[machineID{virtual, m.ID}] = &Machine{Name: m.Name, Virtual: virtual, Status: m.Status.Value, Interfaces: make(map[string]*Interface)}
		}
		return nil
	}
}

// owner is of what an interface is.
type owner struct {
	Device         *named
	VirtualMachine *named `json:"virtual_machine"`
}

func (o owner) id() machineID {
	switch {
	case o.Device != nil:
		return machineID{false, o.Device.ID}
	case o.VirtualMachine != nil:
		return machineID{true, o.VirtualMachine.ID}
	}
	return machineID{id: -1}
}

func (r *reading) iface(raw json.RawMessage) error {
	var i struct {
		owner
		Name      string
		MAC       string `json:"mac_address"`
		MTU       int
		Enabled   bool
		Endpoints []struct {
			Device *named
			Name   string
		} `json:"connected_endpoints"`
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		return err
	}
	m := r.machines[i.id()]
	if m == nil {
		return nil // filtered out
	}
	one := &Interface{MAC: i.MAC, MTU: i.MTU, Enabled: i.Enabled}
	for _, e := range i.Endpoints {
		if e.Device != nil && e.Device.Name != "" && one.Far == nil {
			one.Far = &End{Device: e.Device.Name, Port: e.Name}
		}
	}
	m.Interfaces[i.Name] = one
	return nil
}

func (r *reading) address(raw json.RawMessage) error {
	var a struct {
		Address  string
		Assigned struct {
			owner
			Name string
		} `json:"assigned_object"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return err
	}
	prefix, err := netip.ParsePrefix(a.Address)
	if err != nil {
		return err
	}
	by := cmp.Or(a.Assigned.Device, a.Assigned.VirtualMachine, &named{})
	r.holders[prefix.Addr()] = strings.TrimSpace(by.Name + " " + a.Assigned.Name)
	if m := r.machines[a.Assigned.id()]; m != nil {
		if i := m.Interfaces[a.Assigned.Name]; i != nil {
			i.Addresses = append(i.Addresses, prefix)
		}
	}
	return nil
}
