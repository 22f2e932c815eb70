"""Contents that go another way than over the relay are shown once, whichever way comes first."""

from msgspec.structs import replace

from skvoz.base.ids import GroupId
from skvoz.client import carried_form, carried_out, carrying
from skvoz.client.commands import DeleteMessage, LeaveGroup, React, RemoveMember, SetMessageExpiry
from skvoz.client.inputs import CarriedRead
from skvoz.client.records import Arrived, CarryKey, Gap, Message, MessageState, Parcel
from skvoz.client.transaction import Transaction
from skvoz.codec import opaque
from skvoz.crypto import sign_labeled
from tests.client.carried import bring, bundle_of, export, group_of, item_of, key_of, say, update
from tests.client.fake_relay import DAY_MS, Device, World
from tests.client.people_world import friends, message


def test_what_waits_for_the_relay_comes_by_hand_and_is_shown_once() -> None:
    world, [anna, boris], group_id = group_of(2)
    say(anna, group_id, "before")
    anna.go_offline()
    say(anna, group_id, "one")
    say(anna, group_id, "two")
    bundle = export(anna)
    new, known = bring(boris, bundle)
    assert new == 2
    assert known
    assert boris.texts() == ["before", "one", "two"]
    assert bring(boris, bundle)[0] == 0
    anna.go_online()
    world.advance(60_000)
    assert boris.texts() == ["before", "one", "two"]
    assert [one.state for one in anna.all(Message)] == [MessageState.SENT] * 3
    assert not boris.all(Gap)


def test_what_came_over_the_relay_is_not_shown_again_by_hand() -> None:
    _, [anna, boris], group_id = group_of(2)
    say(anna, group_id, "hello")
    bundle = export(anna)
    assert boris.texts() == ["hello"]
    new, known = bring(boris, bundle)
    assert (new, known) == (0, 1)
    assert boris.texts() == ["hello"]


def test_what_came_by_hand_is_not_shown_again_when_it_is_encrypted_anew() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    anna.go_offline()
    say(anna, group_id, "hello")
    bring(boris, export(anna))
    update(vera, group_id)  # what anna had encrypted is superseded
    anna.go_online()
    world.advance(60_000)
    assert boris.texts() == vera.texts() == ["hello"]


def test_somebody_carries_for_others() -> None:
    world, [anna, boris, vera, gleb], group_id = group_of(4)
    anna.go_offline()
    say(anna, group_id, "hello")
    bring(boris, export(anna))
    boris.go_offline()
    bring(vera, export(boris))
    assert vera.texts() == ["hello"]
    world.settle()
    assert gleb.texts() == []  # the author's device brings it to the relay
    anna.go_online()
    world.advance(60_000)
    assert gleb.texts() == ["hello"]


def test_answers_and_reports_come_back_by_hand() -> None:
    world, anna, boris = friends("hello")
    chat = boris.account_id
    boris.act(lambda step: step.change(boris.conversation().group_id, is_request=False))
    anna.go_offline()
    boris.go_offline()
    say(anna, GroupId(chat), "are you there?")
    bring(boris, export(anna))
    say(boris, GroupId(anna.account_id), "yes")
    world.advance(10_000)
    bring(anna, export(boris))
    assert anna.texts()[-1] == "yes"
    assert {one.state for one in anna.all(Message) if one.text == "are you there?"} == {
        MessageState.DELIVERED
    }
    anna.go_online()
    boris.go_online()
    world.advance(60_000)
    assert anna.texts() == boris.texts()
    assert {one.state for one in anna.all(Message) if one.text == "are you there?"} == {
        MessageState.DELIVERED
    }


def test_reactions_taken_back_do_not_come_again() -> None:
    _, [anna, boris], group_id = group_of(2)
    say(anna, group_id, "hello")
    [said] = anna.all(Message)
    for present in (True, False):
        boris.do(
            lambda client_id, present=present: React(
                client_id=client_id, message_id=said.message_id, emoji="👍", present=present
            )
        )
    anna.world.settle()
    assert not message(anna, said.message_id).reactions
    bring(anna, export(boris))
    assert not message(anna, said.message_id).reactions


def test_what_has_disappeared_does_not_come_again() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.do(lambda client_id: SetMessageExpiry(client_id=client_id, chat_id=group_id, expiry_s=30))
    world.settle()
    say(anna, group_id, "for a while")
    bundle = export(anna)
    world.advance(60_000)
    assert boris.texts() == []
    bring(boris, bundle)
    assert boris.texts() == []
    assert not [one for one in anna.all(Parcel) if b"for a while" in one.content]


def test_what_came_by_hand_and_has_disappeared_does_not_come_again_over_the_relay() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.do(lambda client_id: SetMessageExpiry(client_id=client_id, chat_id=group_id, expiry_s=30))
    world.settle()
    anna.go_offline()
    say(anna, group_id, "for a while")
    bring(boris, export(anna))
    assert boris.texts() == ["for a while"]
    world.advance(60_000)
    assert boris.texts() == []
    anna.go_online()
    world.advance(10_000)
    assert boris.texts() == []


def test_what_was_deleted_is_carried_no_more() -> None:
    _, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "oh no")
    [said] = anna.all(Message)
    anna.do(lambda client_id: DeleteMessage(client_id=client_id, message_id=said.message_id))
    assert not [one for one in anna.all(Parcel) if b"oh no" in one.content]
    bring(boris, export(anna))
    assert boris.texts() == []


def test_who_stayed_behind_reads_on_by_links() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    anna.go_offline()
    update(boris, group_id)
    update(vera, group_id)
    say(boris, group_id, "two epochs later")
    assert boris.conversation(group_id).epoch == anna.conversation(group_id).epoch + 2
    bring(anna, export(boris))
    assert anna.texts() == ["two epochs later"]
    anna.go_online()
    world.advance(60_000)
    assert anna.texts() == ["two epochs later"]


def test_who_went_on_reads_what_was_said_behind() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "from before")
    bundle = export(anna)
    update(boris, group_id)
    update(boris, group_id)
    bring(boris, bundle)
    assert boris.texts() == ["from before"]
    anna.go_online()
    world.advance(60_000)
    assert boris.texts() == ["from before"]


def test_no_link_leads_past_a_removal() -> None:
    _, [anna, boris, vera], group_id = group_of(3)
    for one in (boris, vera):
        one.go_offline()
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id))
    anna.world.settle()
    say(anna, group_id, "without vera")
    bundle = export(anna)
    assert bring(vera, bundle) == (0, 0)
    assert bring(boris, bundle) == (0, 0)  # who stayed has to read the relay first
    boris.go_online()
    boris.world.settle()
    assert boris.texts() == ["without vera"]


def test_who_was_removed_says_nothing_by_hand() -> None:
    _, [anna, boris, vera], group_id = group_of(3)
    vera.go_offline()
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id))
    anna.world.settle()
    say(vera, group_id, "still here")
    assert bring(boris, export(vera)) == (0, 0)
    assert boris.texts() == []


def test_a_bundle_of_others_has_nothing_for_us() -> None:
    world, [anna, boris, _], group_id = group_of(3)
    stranger = world.add_device("dasha", next(iter(world.relays.values())))
    anna.go_offline()
    say(anna, group_id, "not for you")
    bundle = export(anna)
    assert bring(stranger, bundle) == (0, 0)
    assert b"not for you" not in bundle
    assert bytes(group_id) not in bundle
    assert bring(boris, bundle)[0] == 1


def _forged(world: World, member: Device, group_id: GroupId, item: carried_form.Item) -> bytes:
    return bundle_of(world, key_of(member, group_id).secret, [item])


def test_a_member_says_nothing_in_anothers_name() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    say(vera, group_id, "mine")
    mine = item_of(vera, "mine")
    said = replace(mine, content=mine.content.replace(b"mine", b"lies"))
    of_anna = replace(said, device_key=anna.act(lambda step: step.account().device_public_key))
    before = boris.texts()
    assert bring(boris, _forged(world, vera, group_id, said)) == (0, 0)
    assert bring(boris, _forged(world, vera, group_id, of_anna)) == (0, 0)
    assert boris.texts() == before


def test_a_member_brings_nothing_into_another_epoch_or_group() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    vera.go_offline()
    anna.go_offline()
    say(anna, group_id, "once")
    item = item_of(anna, "once")
    anna.go_online()
    vera.go_online()
    world.settle()
    # In the next epoch, where nobody remembers it for ever.
    update(vera, group_id)
    forget = [*boris.all(Arrived)]
    boris.act(lambda step: [step.transaction.delete(Arrived, *one.key_values()) for one in forget])
    boris.act(lambda step: [step.transaction.delete(Message, one.message_id) for one in boris.all(Message)])
    later = key_of(vera, group_id)
    assert later.epoch > item.epoch
    assert bring(boris, bundle_of(world, later.secret, [item])) == (0, 0)
    # Nor does it hold with the later number.
    assert bring(boris, bundle_of(world, later.secret, [replace(item, epoch=later.epoch)])) == (0, 0)
    other = world.make_group(boris, vera)
    assert bring(boris, _forged(world, vera, other, item)) == (0, 0)
    assert boris.texts() == []


def test_one_that_is_spoiled_holds_no_other_up() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    anna.go_offline()
    say(anna, group_id, "good")
    good = item_of(anna, "good")
    bad = replace(good, signature=bytes(64))
    account = vera.act(lambda step: step.account())
    junk = b"\xff"
    signed = carried_form.signed_item(group_id, good.epoch, junk)
    unreadable = replace(
        good,
        device_key=account.device_public_key,
        signature=sign_labeled(account.device_private_key, carried_form.SIGNATURE_LABEL, signed),
        content=junk,
    )
    bundle = bundle_of(world, key_of(vera, group_id).secret, [bad, unreadable, good])
    assert bring(boris, bundle) == (1, 0)
    assert boris.texts() == ["good"]


def test_keys_of_epochs_go_after_a_month_and_ids_not_before() -> None:
    world, [anna, boris], group_id = group_of(2)
    say(anna, group_id, "old")
    bundle = export(anna)
    first = key_of(boris, group_id).epoch
    update(boris, group_id)
    for device in (anna, boris):
        device.restart()  # upkeep begins with a start
    world.advance(carrying.KEPT_MS + 2 * DAY_MS)
    assert all(one.epoch > first for one in boris.all(CarryKey))
    assert not anna.all(Parcel)
    assert bring(boris, bundle) == (0, 0)
    assert boris.all(Arrived)
    world.advance(carrying.KEPT_MS + 2 * DAY_MS)
    assert not [one for one in boris.all(Arrived) if one.epoch <= first]
    assert boris.texts() == ["old"]


def test_ids_stay_for_as_long_as_their_epoch() -> None:
    world, [anna, boris], group_id = group_of(2)
    say(anna, group_id, "in an epoch that lasts")
    bundle = export(anna)
    boris.restart()
    world.advance(4 * carrying.KEPT_MS)
    assert [one for one in boris.all(Arrived) if one.epoch == boris.conversation(group_id).epoch]
    assert bring(boris, bundle)[0] == 0
    assert boris.texts() == ["in an epoch that lasts"]


def test_only_so_many_contents_are_kept() -> None:
    world, [anna, _], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "hello")
    [said] = anna.all(Message)
    for number in range(carrying.PARCELS_MAX + 5):
        anna.do(
            lambda client_id, number=number: React(
                client_id=client_id, message_id=said.message_id, emoji="👍", present=not number % 2
            )
        )
    assert len(anna.all(Parcel)) > carrying.PARCELS_MAX
    anna.go_online()
    anna.restart()
    world.advance(DAY_MS)
    assert len(anna.all(Parcel)) == carrying.PARCELS_MAX


def test_who_leaves_keeps_nothing_to_carry() -> None:
    world, [anna, boris, _], group_id = group_of(3)
    say(anna, group_id, "bye")
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    for kind in (CarryKey, Parcel, Arrived):
        assert not [one for one in anna.all(kind) if one.group_id == group_id]
    assert boris.all(Arrived)


def test_a_home_of_before_keys_were_kept_carries_all_the_same() -> None:
    _, [anna, boris], group_id = group_of(2)
    for device in (anna, boris):
        device.act(
            lambda step, device=device: [
                step.transaction.delete(CarryKey, *one.key_values()) for one in device.all(CarryKey)
            ]
        )
    anna.go_offline()
    say(anna, group_id, "hello")
    assert bring(boris, export(anna)) == (1, 0)


def test_entries_beside_the_relay_are_the_same_each_time_and_are_read_once() -> None:
    _, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    update(boris, group_id)
    say(boris, group_id, "hello")
    entries = carried_out.entries(Transaction(boris.records), group_id)
    assert entries == carried_out.entries(Transaction(boris.records), group_id)
    junk = (entries[0][0], b"\x00" * 528)
    for some in (entries[:1], [junk], entries[1:], entries):  # the link comes before what it leads to
        anna.handle(CarriedRead(group_id=group_id, entries=tuple(some)))
    assert anna.texts() == ["hello"]


def test_a_signature_covers_group_and_epoch() -> None:
    covered = carried_form.signed_item(GroupId(b"g" * 16), 7, b"content")
    assert covered == opaque(b"g" * 16) + (7).to_bytes(8) + opaque(b"content")
