// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The signers of accounts, read as from OpenZeppelin's ERC-7579 multisig validator.
contract MultisigValidator {
    mapping(address => bytes[]) private signers;
    mapping(address => uint64) public threshold;
    mapping(address => uint256) private claimedCount;

    function setSigners(address account, bytes[] calldata list, uint64 needed) external {
        delete signers[account];
        for (uint256 i = 0; i < list.length; i++) signers[account].push(list[i]);
        threshold[account] = needed;
        claimedCount[account] = list.length;
    }

    /// Makes the count disagree with the list, as a broken validator may.
    function claimCount(address account, uint256 count) external {
        claimedCount[account] = count;
    }

    function getSignerCount(address account) external view returns (uint256) {
        return claimedCount[account];
    }

    function getSigners(address account, uint64 start, uint64 end)
        external
        view
        returns (bytes[] memory page)
    {
        bytes[] storage all = signers[account];
        uint256 last = end < all.length ? end : all.length;
        page = new bytes[](last > start ? last - start : 0);
        for (uint256 i = 0; i < page.length; i++) page[i] = all[start + i];
    }
}
