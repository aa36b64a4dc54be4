package netconf

import (
	"errors"
	"fmt"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// drivers are the sockets by which the drivers of a namespace's links are asked, and
// tell of what somebody changed.
type drivers struct {
	ioctl   *ethtool.Ethtool
	family  int               // of ethtool over netlink; 0 without
	asks    *nl.NetlinkSocket // nil without
	notices *notices          // likewise
}

// openDrivers opens the sockets in the thread's namespace.
func openDrivers() (*drivers, error) {
	d := &drivers{}
	var err error
	if d.ioctl, err = ethtool.NewEthtool(); err != nil {
		return nil, fmt.Errorf("open a socket for link settings: %w", err)
	}
	if err := d.openNetlink(); err != nil && !errors.Is(err, errNoFamily) {
		d.close()
		return nil, fmt.Errorf("open ethtool over netlink: %w", err)
	}
	return d, nil
}

// ProbeEthtool says why the kernel has no ethtool over netlink, if it has none.
func ProbeEthtool() error {
	_, err := ethtoolFamily()
	return err
}

func ethtoolFamily() (*netlink.GenlFamily, error) {
	family, err := netlink.GenlFamilyGet("ethtool")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoFamily, err)
	}
	return family, nil
}

func (d *drivers) openNetlink() error {
	family, err := ethtoolFamily()
	if err != nil {
		return err
	}
	d.family = int(family.ID)
	if d.asks, err = nl.Subscribe(unix.NETLINK_GENERIC); err != nil {
		return err
	}
	for _, group := range family.Groups {
		if group.Name == "monitor" {
			d.notices, err = subscribe(unix.NETLINK_GENERIC, int(group.ID))
		}
	}
	return err
}

func (d *drivers) close() {
	if d.asks != nil {
		d.asks.Close()
	}
	d.notices.close()
	if d.ioctl != nil {
		d.ioctl.Close()
	}
}

// genericHeader is a struct genlmsghdr, whole: the library's has two bytes, and sends four.
type genericHeader struct {
	nl.Genlmsg
	_ uint16 // reserved
}

// ask asks the driver of a link one question.
func (d *drivers) ask(q question, index int, s *settings) error {
	if d.asks == nil {
		return errNoFamily
	}
	req := nl.NewNetlinkRequest(d.family, 0)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_GENERIC: {Socket: d.asks}}
	req.AddData(&genericHeader{Genlmsg: nl.Genlmsg{Command: q.command, Version: unix.ETHTOOL_GENL_VERSION}})
	header := nl.NewRtAttr(unix.ETHTOOL_A_LINKMODES_HEADER|unix.NLA_F_NESTED, nil)
	header.AddRtAttr(unix.ETHTOOL_A_HEADER_DEV_INDEX, nl.Uint32Attr(uint32(index)))
	req.AddData(header)
	answers, err := req.Execute(unix.NETLINK_GENERIC, 0)
	if err != nil {
		return fmt.Errorf("ask a driver: %w", err)
	}
	for _, b := range answers {
		if err := parseAnswer(b, q, s); err != nil {
			return err
		}
	}
	return nil
}

// listen tells which links somebody set, until the socket is closed; 0 is for all
// links, after notices were lost.
func (d *drivers) listen(tell func(index int), malformed func(error)) {
	for d.notices != nil {
		messages, err := d.notices.receive()
		if errors.Is(err, unix.ENOBUFS) {
			d.notices.drain()
			tell(0)
			continue
		}
		if err != nil {
			return // closed
		}
		for _, m := range messages {
			if index, err := parseNotice(m.Data); err != nil {
				malformed(err)
			} else {
				tell(index)
			}
		}
	}
}
